import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../server/base/clock.ts';
import { startTestCollector, type TestCollector } from '../../server/main/collector.testing.ts';
import type { CollectorOptions } from '../../server/main/collector.ts';
import { resolveSimOptions } from './options.ts';
import { exitCodeOf, type SimulationOutcome, simulate } from './simulation.ts';
import { summaryText } from './summary.ts';

let own: TestCollector;
let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'crowdbeat-stash-'));
});
afterEach(async () => {
  await own?.stop();
  rmSync(directory, { recursive: true, force: true });
});

const start = async (options: Partial<CollectorOptions> = {}): Promise<void> => {
  own = await startTestCollector(options);
};

function simulation(flags: Record<string, unknown> = {}, onRunning: () => void = () => undefined) {
  const sim = { visitors: 50, duration: '2s', heartbeat: '300ms', 'log-clients': 0, session: 'stash' };
  return simulate({
    sim: resolveSimOptions({ ...sim, target: own.collector.url, ...flags }),
    targetUrl: new URL(own.collector.url),
    clock: systemClock,
    resultsDirectory: join(directory, 'results'),
    logDirectory: join(directory, 'logs'),
    onView: () => undefined,
    onNote: () => undefined,
    onRunning,
  });
}

const json = async (path: string) => (await own.get(path)).json as Record<string, never>;

const checkOf = ({ result }: SimulationOutcome, name: string) =>
  result.audit?.checks.find((one) => one.name === name);

async function post(path: string, body: unknown): Promise<number> {
  const init = { method: 'POST', body: JSON.stringify(body) };
  return (await fetch(own.collector.url + path, init)).status;
}

test('heartbeats go to the session store and not among the events, run after run, and the audit is exact', async () => {
  await start();
  let live = 0;
  for (let run = 0; run < 2; run++) {
    const outcome = await simulation();
    const { audit, sentTo, events } = outcome.result;
    expect(audit?.reasons).toEqual([]);
    expect(exitCodeOf(outcome.result, false)).toBe(0);
    const { sessions = 0, heartbeats } = sentTo.sessionStore ?? {};
    expect(sessions).toBeGreaterThanOrEqual(50);
    live += sessions;
    expect(await json('/session/count?store=stash')).toEqual({ count: live });
    expect(sentTo.sessionStore).toMatchObject({ name: 'stash', live, departed: 0 });
    expect(heartbeats).toBe(events.byType['heartbeat']?.acked);
    expect(sentTo.write + (heartbeats ?? 0)).toBe(events.acked);
    expect(checkOf(outcome, 'documents')?.actual).toBe(sentTo.write);
    expect(summaryText(outcome.result, '')).toContain(
      `${heartbeats} heartbeats of ${sessions} sessions to the session store stash`,
    );
  }
  const { byType } = await json('/totals');
  expect(Object.keys(byType ?? {}).sort()).toEqual(['sessionStart', 'view']);
});

test('with a flusher every session departs once, and everybody in the minutes when last heard of', async () => {
  await start({ flush: { timeoutMs: 1500, pollMs: 100 } });
  const outcome = await simulation({ 'await-timeouts': '40s' });
  const { audit, sentTo } = outcome.result;
  expect(audit?.reasons).toEqual([]);
  const { sessions = 0 } = sentTo.sessionStore ?? {};
  expect(sentTo.sessionStore).toMatchObject({ live: 0, departed: sessions });
  const { byType } = await json('/totals');
  expect(byType?.['sessionTimeout']).toBe(sessions);
  const visitors = audit?.checks.filter(({ name }) => name.startsWith('visitors sessionTimeout '));
  expect(visitors?.length).toBeGreaterThanOrEqual(5);
});

test('sessions of an earlier run that depart during this one are told apart from its own', async () => {
  await start({ flush: { timeoutMs: 2500, pollMs: 100 } });
  await simulation({ duration: '1s' });
  const { result } = await simulation({ duration: '4s' });
  expect(result.audit?.reasons).toEqual([]);
  expect(result.sentTo.sessionStore?.departed).toBeGreaterThan(0);
});

test('a session that goes without a departure is missed', async () => {
  await start();
  let isTaken = false;
  const outcome = await simulation({}, () => {
    const taken = setInterval(async () => {
      const { items = [] } = (await json('/session/query?store=stash&rows=1&sort=event.time asc')) as {
        items?: { session: { id: string } }[];
      };
      // Two questions may be under way at a time.
      if (items[0] === undefined || isTaken) return;
      isTaken = true;
      clearInterval(taken);
      // After the last heartbeat of the run the session would come back no more.
      setTimeout(
        () => post('/session/update', { store: 'stash', ops: [{ delete: [items[0]?.session.id] }] }),
        2200,
      );
    }, 50);
  });
  const check = checkOf(outcome, 'sessions of stash, live and departed');
  expect([check?.ok, (check?.expected ?? 0) - Number(check?.actual)]).toEqual([false, 1]);
  expect(exitCodeOf(outcome.result, false)).toBe(23);
});

test('a departure too many is found, also where somebody left out another one', async () => {
  await start();
  let written: Promise<number> | undefined;
  const outcome = await simulation({}, () => {
    const event = { type: 'sessionTimeout', time: systemClock.wallMs() };
    written = post('/write', { event, session: { id: 'x' }, visitor: { id: 'x' } });
  });
  expect(await written).toBe(200);
  const check = checkOf(outcome, 'sessions of stash, live and departed');
  expect(Number(check?.actual) - (check?.expected ?? 0)).toBe(1);
});

test('without a flusher the waiting ends, and whoever has not departed is a mismatch', async () => {
  await start();
  const { result } = await simulation({ visitors: 10, duration: '1s', 'await-timeouts': '1s' });
  const { sessions } = result.sentTo.sessionStore ?? {};
  expect(result.audit?.reasons).toEqual([
    `sessions of stash, live: ${sessions} counted, 0 expected (${sessions} too many)`,
    `departures: 0 counted, ${sessions} expected (${sessions} missing)`,
    expect.stringContaining('visitors sessionTimeout '),
    expect.stringContaining('visitors sessionTimeout '),
    expect.stringContaining('visitors sessionTimeout '),
    expect.stringContaining('visitors sessionTimeout '),
    expect.stringContaining('visitors sessionTimeout '),
  ]);
});

test('a session store that there is not is said before the first visitor', async () => {
  await start();
  await expect(simulation({ session: 'cellar' })).rejects.toMatchObject({
    code: 'CB_REFUSED',
    message: expect.stringMatching(
      /POST \/session\/update answered 404: .*"cellar"; add it: crowdbeat session add/,
    ),
  });
  expect(await json('/totals')).toMatchObject({ documents: 0 });
});

test('visitors come from addresses and with agents of their own', async () => {
  await start({ enrichment: { trustProxy: 'loopback' } });
  const { result } = await simulation({ 'client-headers': true });
  expect(result.audit?.reasons).toEqual([]);
  const { items } = (await json('/session/query?store=stash&rows=100')) as unknown as {
    items: { _m1: { ip: string; ua: { device: string } } }[];
  };
  const addresses = new Set(items.map(({ _m1 }) => _m1.ip));
  expect(addresses.size).toBeGreaterThan(45);
  expect([...addresses].filter((ip) => ip.startsWith('127.'))).toEqual([]);
  expect(new Set(items.map(({ _m1 }) => _m1.ua.device)).size).toBeGreaterThan(1);
});
