import { expect, test } from 'vitest';
import { colourPalette, Panel, type PanelSink, panelLines, plainPalette } from './panel.ts';
import type { RunView } from './run-monitor.ts';
import { sparkline } from './sparkline.ts';

const latency = { p50: 0.8, p90: 1.25, p99: 4.25, p999: 9, max: 1250, mean: 1, count: 100 };

const viewOf = (changes: Partial<RunView> = {}): RunView => ({
  elapsedMs: 20_010,
  present: 1234,
  started: 1300,
  ended: 66,
  open: 3,
  eventsPerSecond: 321.4,
  perSecondByType: { sessionStart: 1, view: 20, heartbeat: 300 },
  acknowledged: 5000,
  response: latency,
  runResponse: { ...latency, p50: 0.9 },
  lateness: { ...latency, p99: 0.91 },
  blocked: { ...latency, p99: 0.05 },
  errors: {},
  errorsTotal: {},
  utilisation: 0.1,
  loopDelayMaxMs: 1,
  ...changes,
});

const health = {
  overall: { status: 'PASSED' },
  collector: { version: '0.1.0', pid: 1, worker: 1, workers: 1, uptimeMs: 1 },
  redis: { status: 'connected', version: '7.0.15' },
  problems: [],
  eventLoop: { lagP99Ms: 0, lagMaxMs: 0 },
  queue: { events: 12, bytes: 100, eventsMax: 1000, bytesMax: 1000 },
} as const;

const frameOf = (view: RunView) => ({
  view,
  presence: [100, 600, 1234],
  health,
  durationMs: 60_000,
  title: 'crowdbeat  http://127.0.0.1:1  seed 7',
});

function sinkOf(options: Partial<PanelSink> = {}) {
  const written: string[] = [];
  return {
    written,
    isTTY: true,
    columns: 100,
    rows: 40,
    colour: false,
    write: (text: string) => void written.push(text),
    ...options,
  };
}

test('the panel says who is there, how much, how fast, and how everybody is', () => {
  expect(panelLines(frameOf(viewOf()), 100, plainPalette)).toEqual([
    'crowdbeat  http://127.0.0.1:1  seed 7  20 s, 40 s left',
    'visitors   1,234 present, 1,300 came, 66 left  ▁▄█',
    'events/s   321: 1 sessionStart, 20 view, 300 heartbeat',
    'response              p50       p90       p99       max',
    '  last second      0.8 ms   1.25 ms   4.25 ms    1.25 s',
    '  whole run        0.9 ms   1.25 ms   4.25 ms    1.25 s',
    'generator  lateness p99 0.91 ms, blocked p99 0.05 ms, loop busy 10 %, 3 open',
    'errors     none',
    'collector  well, 12 events queued; Redis 7.0.15 connected',
  ]);
});

test('errors are told by kind, and what is wrong now is marked', () => {
  const view = viewOf({
    errorsTotal: { refused: 12, timeout: 30 },
    errors: { timeout: 4 },
    lateness: { ...latency, p99: 40 },
  });
  const lines = panelLines({ ...frameOf(view), health: 'away' }, 100, colourPalette);
  const alarm = (text: string): string => `\u001b[31m${text}\u001b[39m`;
  expect(lines[7]).toBe(alarm('errors     30 timeout, 12 refused (4 in the last second)'));
  expect(lines[6]).toContain('\u001b[31mgenerator  lateness p99 40 ms');
  expect(lines[8]).toBe(alarm('collector  does not answer'));
});

test('no line is wider than the terminal, however narrow', () => {
  for (const columns of [60, 61, 80, 200]) {
    for (const line of panelLines(frameOf(viewOf()), columns, plainPalette))
      expect(line.length).toBeLessThan(columns);
  }
});

test('each second is drawn over the last, and without colour there is no colour', () => {
  const sink = sinkOf();
  const panel = new Panel(sink, 60_000);
  panel.show(viewOf());
  panel.show(viewOf({ present: 999 }));
  expect(sink.written[0]?.split('\n')).toHaveLength(10);
  expect(sink.written[1]?.startsWith('\r\u001b[9A')).toBe(true);
  expect(sink.written.join('')).not.toMatch(/\[(1|31)m/);
});

test('a message goes above the panel, which is drawn again below it', () => {
  const sink = sinkOf();
  const panel = new Panel(sink, 60_000);
  panel.show(viewOf());
  sink.written.length = 0;
  panel.say('a note');
  expect(sink.written[0]).toBe('\r\u001b[9A\u001b[J');
  expect(sink.written[1]).toBe('a note\n');
  expect(sink.written[2]).toContain('1,234 present');
});

test('in a terminal made narrower the wrapped lines are counted, so that nothing stays behind', () => {
  const sink = { ...sinkOf(), columns: 100 };
  const panel = new Panel(sink, 60_000);
  panel.show(viewOf());
  sink.columns = 60;
  sink.written.length = 0;
  panel.redraw();
  // One of the nine lines was longer than 60 columns, and takes two rows now.
  expect(sink.written[0]?.startsWith('\r\u001b[10A')).toBe(true);
});

test('a small terminal gets the single line, and one that is no terminal plain lines', () => {
  for (const small of [{ columns: 50 }, { rows: 10 }]) {
    const sink = sinkOf(small);
    new Panel(sink, 60_000).show(viewOf());
    expect(sink.written[0]?.split('\n')).toHaveLength(1);
    expect(sink.written[0]).toContain('1,234 visitors');
  }
  const pipe = sinkOf({ isTTY: false });
  const panel = new Panel(pipe, 60_000);
  for (let second = 1; second <= 11; second++) panel.show(viewOf({ elapsedMs: second * 1000 }));
  panel.redraw();
  expect(pipe.written).toHaveLength(2);
  expect(pipe.written.join('')).not.toContain('\u001b');
});

test('a sparkline scales from zero to its maximum and shows the newest values', () => {
  expect(sparkline([0, 4, 8], 10)).toBe('▁▄█');
  expect(sparkline([9, 9, 0, 8], 2)).toBe('▁█');
  expect(sparkline([0, 0], 5)).toBe('▁▁');
  expect(sparkline([], 5)).toBe('');
});
