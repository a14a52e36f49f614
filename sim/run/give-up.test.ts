import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { systemClock } from '../../server/base/clock.ts';
import { totalFates } from '../worker/ledger.ts';
import { CrowdRun } from './crowd-run.ts';
import { GiveUpWatch } from './give-up.ts';
import { resolveSimOptions } from './options.ts';

const second = (elapsedMs: number, acknowledged: number, open: number) => ({
  elapsedMs,
  acknowledged,
  open,
});

test('patience ends when nothing was acknowledged for that long while events were open', () => {
  const watch = new GiveUpWatch(3000);
  expect(watch.isOver(second(1000, 5, 9))).toBe(false);
  expect(watch.isOver(second(2000, 5, 9))).toBe(false);
  expect(watch.isOver(second(3000, 5, 9))).toBe(false);
  expect(watch.isOver(second(4000, 5, 9))).toBe(true);
});

test('one acknowledged event, or a second with nothing open, is a reason to go on', () => {
  const watch = new GiveUpWatch(2000);
  expect(watch.isOver(second(1900, 0, 9))).toBe(false);
  expect(watch.isOver(second(1999, 1, 9))).toBe(false);
  expect(watch.isOver(second(3500, 1, 0))).toBe(false);
  expect(watch.isOver(second(5000, 1, 1))).toBe(false);
  expect(watch.isOver(second(5500, 1, 1))).toBe(true);
});

test('without a limit a crowd waits for ever', () => {
  expect(new GiveUpWatch(Number.POSITIVE_INFINITY).isOver(second(1e12, 0, 1))).toBe(false);
});

test('a run whose target never answers ends itself long before its time, with its figures and the reason', async () => {
  const silent = createServer((socket) => void socket.resume().on('error', () => undefined));
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const { port } = silent.address() as { port: number };
  const notes: string[] = [];
  const run = new CrowdRun({
    sim: resolveSimOptions({ visitors: 6, duration: '1h', 'give-up': '2s', workers: 2, 'log-clients': 0 }),
    runId: 'gives-up',
    targetUrl: new URL(`http://127.0.0.1:${port}`),
    clock: systemClock,
    logDirectory: '/dev/null',
    intervalLogPath: undefined,
    onView: () => undefined,
    onNote: (note) => notes.push(note),
  });
  const figures = await run.run();
  silent.close();
  expect(figures.end).toBe('gave up');
  expect(figures.durationMs).toBeGreaterThanOrEqual(2000);
  const total = totalFates(figures.ledger);
  expect(total.planned).toBeGreaterThan(0);
  expect(total.planned).toBe(total.unknown + total.failed);
  expect(figures.ended).toBe(figures.started);
  expect(notes).toHaveLength(1);
  expect(notes[0]).toMatch(/^gave up: no event was acknowledged for 2 s \(--give-up\), and \d+ were open$/);
  expect(figures.notes).toEqual(notes);
});
