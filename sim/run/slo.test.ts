import { expect, test } from 'vitest';
import { HistogramSet, Recorder } from '../measure/index.ts';
import { emptyLedger } from '../worker/ledger.ts';
import { checkObjectives, judgeObjectives, readObjectives } from './slo.ts';

/** Views of 1 … 100 ms after the ramp, one heartbeat of 5 s before it. */
function figures() {
  const recorder = new Recorder();
  const histograms = new HistogramSet({ steadyFromMs: 1000 });
  recorder.record(recorder.seriesOf('response', 'heartbeat'), 5_000_000);
  histograms.add(recorder.takeInterval(1000));
  for (let ms = 1; ms <= 100; ms++) {
    recorder.record(recorder.seriesOf('response', 'view'), ms * 1000);
    recorder.record(recorder.seriesOf('lateness', 'view'), ms);
  }
  histograms.add(recorder.takeInterval(2000));
  const ledger = emptyLedger();
  Object.assign(ledger.byType['view'] ?? {}, {
    planned: 1000,
    sent: 999,
    accepted: 990,
    duplicates: 5,
    failed: 5,
  });
  return { histograms, ledger, durationMs: 4000, errors: { timeout: 1 }, freshness: null };
}

const judged = (text: string) =>
  judgeObjectives(readObjectives(text) ?? [], figures()).map(
    ({ ok, words }) => `${ok ? 'met' : 'missed'}: ${words}`,
  );

test('each figure is compared in its unit, latencies after the ramp alone', () => {
  expect(judged('view.p99<100ms, p99 < 0.0995s,response.max<=100ms,lateness.p50<1ms,mean>50ms')).toEqual([
    'met: 99 ms',
    'met: 99 ms',
    'met: 100 ms',
    'met: 0.05 ms',
    'met: 50.5 ms',
  ]);
  expect(judged('view.p99<99ms,view.p99.9<100ms,p50>=51ms')).toEqual([
    'missed: 99 ms',
    'missed: 100 ms',
    'missed: 50 ms',
  ]);
  expect(judged('error<0.6%,error<0.4%,view.error<=0.501%,retry<=0.1%,rate>240/s,view.rate>=249/s')).toEqual([
    'met: 0.5 %',
    'missed: 0.5 %',
    'met: 0.5 %',
    'met: 0.1 %',
    'met: 248.8/s',
    'missed: 248.8/s',
  ]);
});

test('an objective without samples is missed', () => {
  expect(judged('heartbeat.p99<1h,freshness.p50<1h,heartbeat.error<100%')).toEqual([
    'missed: no samples',
    'missed: no samples',
    'missed: no samples',
  ]);
});

test('what is no objective is refused', () => {
  const bad = [
    '',
    'p99',
    'p99<50',
    'p99<50%',
    'error<50ms',
    'error<101%',
    'p100<1s',
    'q99<1s',
    'view.retry<1%',
    'p99=1s',
    'a.freshness.p50<1s',
    'p99<1s,',
  ];
  for (const text of bad) expect([text, readObjectives(text)]).toEqual([text, undefined]);
});

test('a type that the crowd never sends is refused before the run', () => {
  const objectives = readObjectives('veiw.p99<50ms') ?? [];
  expect(() => checkObjectives(objectives, ['view', 'heartbeat'])).toThrow(
    `--slo: needs one of the crowd's types (view, heartbeat) in "veiw.p99<50ms", got "veiw"`,
  );
  checkObjectives(readObjectives('view.p99<50ms,error<1%') ?? [], ['view']);
});
