import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../server/base/clock.ts';
import { totalFates } from '../worker/ledger.ts';
import { CrowdRun } from './crowd-run.ts';
import { resolveSimOptions } from './options.ts';
import { type RecordingTarget, startRecordingTarget } from './recording-target.testing.ts';

let directory: string;
let target: RecordingTarget | undefined;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'crowdbeat-run-'));
});

afterEach(async () => {
  await target?.close();
  target = undefined;
  rmSync(directory, { recursive: true });
});

function crowdRun(flags: Record<string, unknown>, url: URL): CrowdRun {
  return new CrowdRun({
    sim: resolveSimOptions({ visitors: 40, duration: '2s', heartbeat: '300ms', seed: 5, ...flags }),
    runId: 'a-fixed-run',
    targetUrl: url,
    clock: systemClock,
    logDirectory: join(directory, 'logs'),
    intervalLogPath: join(directory, 'intervals.hlog'),
    onView: () => undefined,
    onNote: () => undefined,
  });
}

test('the same seed is the same crowd with 1, 2 and 3 workers, as seen by who receives it', async () => {
  const digests: string[] = [];
  for (const workers of [1, 2, 3]) {
    const recording = await startRecordingTarget();
    const figures = await crowdRun({ workers }, recording.url).run();
    expect(totalFates(figures.ledger).accepted).toBe(recording.digest.count);
    digests.push(recording.digest.toString());
    await recording.close();
  }
  expect(new Set(digests).size).toBe(1);
  expect(Number(digests[0]?.split(':')[0])).toBeGreaterThan(100);
});

test('another seed is another crowd', async () => {
  const digests: string[] = [];
  for (const seed of [5, 6]) {
    const recording = await startRecordingTarget();
    await crowdRun({ seed, duration: '1s' }, recording.url).run();
    digests.push(recording.digest.toString());
    await recording.close();
  }
  expect(digests[0]).not.toBe(digests[1]);
});

test('events that the target refuses for now are sent again with the same number, and each counts once', async () => {
  target = await startRecordingTarget((request) => (request % 5 === 0 ? 503 : 200));
  const figures = await crowdRun({}, target.url).run();
  const total = totalFates(figures.ledger);
  expect(figures.errors['http 503']).toBeGreaterThan(0);
  expect(total.accepted).toBe(total.planned);
  const keys = target.events.map(({ session, event }) => `${session.id} ${event.seq}`);
  expect(new Set(keys).size).toBe(keys.length);
  expect(keys.length).toBe(total.planned);
});

test('each session numbers its events 1, 2, 3 … without a gap, on times that never go back', async () => {
  target = await startRecordingTarget();
  await crowdRun({}, target.url).run();
  const sessions = new Map<string, { seq: number; time: number }[]>();
  for (const { session, event } of target.events) {
    sessions.set(session.id, [...(sessions.get(session.id) ?? []), { seq: event.seq, time: event.time }]);
  }
  for (const events of sessions.values()) {
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, at) => at + 1));
    expect(events.map(({ time }) => time)).toEqual(events.map(({ time }) => time).sort((a, b) => a - b));
  }
});

test('a target that refuses connections: nothing was sent, so everything planned has failed', async () => {
  const closed = await startRecordingTarget();
  await closed.close();
  const figures = await crowdRun({ duration: '1s', drain: '200ms' }, closed.url).run();
  const total = totalFates(figures.ledger);
  expect(total.planned).toBeGreaterThan(0);
  expect(total).toMatchObject({ sent: 0, accepted: 0, unknown: 0, failed: total.planned });
  expect(figures.errors['refused']).toBeGreaterThan(0);
});

test('a target that takes requests and never answers leaves their fate unknown, at their age', async () => {
  const silent = createServer((socket) => void socket.resume().on('error', () => undefined));
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const { port } = silent.address() as { port: number };
  const run = crowdRun(
    { visitors: 8, duration: '1s', timeout: '150ms', drain: '300ms' },
    new URL(`http://127.0.0.1:${port}`),
  );
  const figures = await run.run();
  silent.close();
  const total = totalFates(figures.ledger);
  expect(total.accepted).toBe(0);
  expect(total.unknown).toBe(total.sent);
  expect(total.failed).toBe(total.planned - total.sent);
  expect(figures.errors['timeout']).toBeGreaterThan(0);
  // The oldest event was meant at the start and was still open at the end of the drain: 1.3 s.
  expect(figures.histograms.summary('whole', 'response')?.max).toBeGreaterThan(1200);
});

test('ended early the visitors leave, everything planned is settled, and the run says so', async () => {
  target = await startRecordingTarget();
  const run = crowdRun({ duration: '60s' }, target.url);
  const figures = run.run();
  setTimeout(() => run.end(), 1200);
  const { end, ledger, started, ended } = await figures;
  expect(end).toBe('interrupted');
  expect(ended).toBe(started);
  expect(totalFates(ledger).accepted).toBe(totalFates(ledger).planned);
});

test('cut off at once, open events are counted and the figures are there', async () => {
  target = await startRecordingTarget();
  const run = crowdRun({ duration: '60s' }, target.url);
  const figures = run.run();
  setTimeout(() => run.abort(), 1100);
  const { end, ledger } = await figures;
  expect(end).toBe('aborted');
  expect(totalFates(ledger).planned).toBeGreaterThan(0);
});

test('every client has a log: it arrives, acts one line each, and leaves', async () => {
  target = await startRecordingTarget();
  await crowdRun({ visitors: 5, 'log-clients': 3, duration: '1s' }, target.url).run();
  const names = readdirSync(join(directory, 'logs')).sort();
  expect(names).toEqual(['client-00001.log', 'client-00002.log', 'client-00003.log']);
  const lines = readFileSync(join(directory, 'logs', 'client-00002.log'), 'utf8')
    .trimEnd()
    .split('\n');
  expect(lines[0]).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z arrives /);
  expect(lines[1]).toMatch(/Z sessionStart +\/\S* +200 +[\d.]+ m?s/);
  expect(lines.at(-1)).toMatch(/Z leaves +after /);
  const acts = lines.filter((line) => / (sessionStart|view|heartbeat) /.test(line));
  expect(acts.length).toBeGreaterThan(2);
});

test('client logs that can’t be written stop with one note, and the run goes on', async () => {
  target = await startRecordingTarget();
  const notes: string[] = [];
  const run = new CrowdRun({
    sim: resolveSimOptions({ visitors: 5, duration: '1s' }),
    runId: 'x',
    targetUrl: target.url,
    clock: systemClock,
    logDirectory: '/dev/null/logs',
    intervalLogPath: '/dev/null/intervals.hlog',
    onView: () => undefined,
    onNote: (note) => notes.push(note),
  });
  const figures = await run.run();
  expect(totalFates(figures.ledger).accepted).toBeGreaterThan(0);
  expect(notes.filter((note) => note.startsWith('client logs stopped: '))).toHaveLength(1);
  expect(notes.filter((note) => note.startsWith('interval log '))).toHaveLength(1);
});

test('when the time to settle is over, what is on its way is still waited for, and nothing stays in doubt', async () => {
  // One connection and an answer that takes 100 ms: forty visitors are far more than that can carry.
  target = await startRecordingTarget(() => 200, 100);
  const figures = await crowdRun(
    { connections: 1, workers: 1, duration: '1s', drain: '250ms' },
    target.url,
  ).run();
  const total = totalFates(figures.ledger);
  expect(total.failed).toBeGreaterThan(0);
  expect(total).toMatchObject({ unknown: 0, dropped: 0, accepted: target.digest.count });
});
