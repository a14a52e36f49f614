import { expect, test } from 'vitest';
import { LiveLine, liveText } from './live-line.ts';
import type { RunView } from './run-monitor.ts';

const latency = { p50: 0.8, p90: 1, p99: 4.25, p999: 9, max: 1250, mean: 1, count: 100 };

const view = (elapsedMs: number, errorsTotal: Record<string, number> = {}): RunView => ({
  elapsedMs,
  present: 1234,
  started: 1300,
  ended: 66,
  open: 3,
  eventsPerSecond: 321.4,
  perSecondByType: { sessionStart: 1, view: 20, heartbeat: 300 },
  acknowledged: 5000,
  response: latency,
  lateness: { ...latency, p99: 0.91 },
  errors: {},
  errorsTotal,
  utilisation: 0.1,
  loopDelayMaxMs: 1,
});

function sink(isTTY: boolean, columns = 200) {
  const written: string[] = [];
  return { written, isTTY, columns, write: (text: string) => void written.push(text) };
}

test('the line says time, visitors, rate, latency, lateness and errors, each with its unit', () => {
  expect(liveText(view(20_010), 60_000)).toBe(
    '20 s, 40 s left  |  1,234 visitors  |  321 events/s  |  p50 0.8 ms  p99 4.25 ms  max 1.25 s  |  lateness p99 0.91 ms  |  no errors',
  );
  expect(liveText(view(20_010, { refused: 2, timeout: 10 }), Number.POSITIVE_INFINITY)).toContain(
    '12 failed attempts (mostly timeout)',
  );
});

test('after the planned end the line says that open events are settling', () => {
  expect(liveText(view(62_000), 60_000)).toContain('1m 02s, settling');
});

test('on a terminal the line is drawn over, never wraps, and makes room for a message', () => {
  const terminal = sink(true, 40);
  const line = new LiveLine(terminal, 60_000);
  line.show(view(1000));
  const [drawn = ''] = terminal.written;
  expect(drawn.startsWith('\r\u001b[K')).toBe(true);
  expect(drawn.length - '\r\u001b[K'.length).toBe(39);
  line.say('a note');
  expect(terminal.written.slice(1)).toEqual(['\r\u001b[K', 'a note\n']);
});

test('elsewhere there is a plain line every five seconds', () => {
  const pipe = sink(false);
  const line = new LiveLine(pipe, 60_000);
  for (let second = 1; second <= 12; second++) line.show(view(second * 1000 + 3));
  expect(pipe.written).toHaveLength(2);
  expect(pipe.written.join('')).not.toContain('\u001b');
});
