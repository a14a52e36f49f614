import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { ManualClock, systemClock } from '../../server/base/clock.ts';
import { defaultProperty } from '../../server/protocol/property.ts';
import { Crowd } from '../crowd/crowd.ts';
import { makePeople } from '../crowd/people.ts';
import { shop } from '../crowd/shop.ts';
import { EventRequests } from '../targets/event-request.ts';
import { HttpPool } from '../transport/http-pool.ts';
import { ClientLogs } from './client-logs.ts';
import { CrowdDriver } from './crowd-driver.ts';
import { CrowdLatency } from './crowd-latency.ts';
import { totalFates, unaccounted } from './ledger.ts';

type SentEvent = { event: { type: string; time: number; seq: number }; session: { id: string } };

const acceptedReply = '{"durability":"stored","accepted":1,"duplicates":0,"rejected":0,"results":[]}';
const startWallMs = Date.UTC(2026, 10, 21, 12, 0, 0);

const opened: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
});

/** A target that answers while `answering` says so; what comes before that waits for its answer. */
async function startTarget() {
  const events: SentEvent[] = [];
  const held: (() => void)[] = [];
  const state = {
    answering: true,
    events,
    url: new URL('http://127.0.0.1'),
    resume: (): void => undefined,
  };
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      events.push(JSON.parse(Buffer.concat(chunks).toString()) as SentEvent);
      if (state.answering) response.end(acceptedReply);
      else held.push(() => response.end(acceptedReply));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  opened.push(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  state.url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  state.resume = () => {
    state.answering = true;
    for (const answer of held.splice(0)) answer();
  };
  return state;
}

function startDriver(url: URL, clock: ManualClock, heartbeatMs: number): CrowdDriver {
  const people = makePeople(3);
  const crowd = new Crowd({ seed: 3, runId: 'driver', site: shop, people, heartbeatMs, phase: 'spread' });
  const logs = new ClientLogs({ directory: '/dev/null', clients: 0, onStopped: () => undefined });
  const driver = new CrowdDriver({
    crowd,
    types: crowd.types,
    requests: new EventRequests({ url, property: defaultProperty, pages: crowd.pages, startWallMs }),
    makePool: (handler) =>
      new HttpPool({ url, connections: 4, requestTimeoutMs: 1e9, connectTimeoutMs: 1e9, clock, handler }),
    latency: new CrowdLatency(),
    logs,
    clock,
    startMonotonicMs: 0,
  });
  opened.push(async () => {
    driver.abort();
    await logs.close();
  });
  return driver;
}

async function until(condition: () => boolean, what: string): Promise<void> {
  const endMs = systemClock.monotonicMs() + 20_000;
  while (!condition()) {
    if (systemClock.monotonicMs() > endMs) throw new Error(what);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

test('a wall clock that is set back during a run moves no event: times go on as the run does', async () => {
  const target = await startTarget();
  const clock = new ManualClock(startWallMs);
  const driver = startDriver(target.url, clock, 1000);
  driver.addSlot(0, 0);
  for (let second = 1; second <= 20; second++) {
    clock.advanceMs(1000);
    if (second === 7) clock.setWallMs(startWallMs - 3_600_000);
    if (second === 14) clock.setWallMs(startWallMs + 86_400_000);
    const heartbeats = () => target.events.filter(({ event }) => event.type === 'heartbeat').length;
    await until(() => heartbeats() >= second - 1, `no heartbeat in second ${second}`);
  }
  const times = target.events.map(({ event }) => event.time);
  expect(times).toEqual([...times].sort((a, b) => a - b));
  expect(times[0]).toBe(startWallMs);
  expect(times.at(-1)).toBeLessThanOrEqual(startWallMs + 20_000);
  expect(times.at(-1)).toBeGreaterThan(startWallMs + 18_000);
});

test('while the target is away a slot keeps a thousand acts, and what comes beyond is dropped and counted', async () => {
  const target = await startTarget();
  target.answering = false;
  const clock = new ManualClock(startWallMs);
  const driver = startDriver(target.url, clock, 10);
  driver.addSlot(0, 0);
  await until(() => target.events.length === 1, 'the first event was not sent');
  clock.advanceMs(30_000);
  let planned = 0;
  let dropped = 0;
  // The driver takes what is due in turns of its own, on this thread: no change for 100 ms, and all is taken.
  for (let before = -1; planned !== before; ) {
    before = planned;
    await new Promise((resolve) => setTimeout(resolve, 100));
    ({ planned, dropped } = totalFates(driver.ledger.record));
  }
  expect(planned).toBeGreaterThan(3000);
  expect(driver.open).toBe(1001);
  expect(dropped).toBe(planned - 1001);

  target.resume();
  await until(() => driver.open === 0, 'what waited was not sent');
  driver.endAt(30_000, 0, 0);
  await driver.finished;
  const total = totalFates(driver.ledger.record);
  expect(total.accepted).toBe(1001);
  expect(total.dropped).toBe(dropped);
  expect(unaccounted(total)).toBe(0);
});
