import fc from 'fast-check';
import { build } from 'hdr-histogram-js';
import { expect, test } from 'vitest';
import { HistogramSet } from './histogram-set.ts';
import { Recorder } from './recorder.ts';

const recorded = fc.array(
  fc.record({
    worker: fc.integer({ min: 0, max: 2 }),
    second: fc.integer({ min: 0, max: 2 }),
    eventType: fc.constantFrom('view', 'heartbeat'),
    latencyUs: fc
      .double({ min: 0, max: Math.log(60e6), noNaN: true })
      .map((log) => Math.floor(Math.exp(log))),
  }),
  { minLength: 1, maxLength: 300 },
);

test('three workers over three intervals give the percentiles of one hdr-histogram-js fed with every value', () => {
  fc.assert(
    fc.property(recorded, (values) => {
      const set = new HistogramSet({ steadyFromMs: 0 });
      const recorders = [new Recorder(), new Recorder(), new Recorder()];
      for (let second = 0; second < 3; second += 1) {
        for (const value of values.filter((one) => one.second === second)) {
          const recorder = recorders[value.worker]!;
          recorder.record(recorder.seriesOf('response', value.eventType), value.latencyUs);
        }
        for (const recorder of recorders) set.add(recorder.takeInterval((second + 1) * 1000));
      }
      for (const eventType of [undefined, 'view', 'heartbeat']) {
        const expected = values.filter((one) => eventType === undefined || one.eventType === eventType);
        const summary = set.summary('whole', 'response', eventType);
        if (expected.length === 0) {
          expect(summary).toBeUndefined();
          continue;
        }
        const all = expected.map((one) => one.latencyUs);
        const twin = build({
          lowestDiscernibleValue: 1,
          highestTrackableValue: 60e6,
          numberOfSignificantValueDigits: 3,
        });
        for (const us of all) twin.recordValue(us);
        const max = Math.max(...all);
        const twinMs = (percentile: number): number =>
          Math.min(twin.getValueAtPercentile(percentile), max) / 1000;
        expect(summary).toEqual({
          p50: twinMs(50),
          p90: twinMs(90),
          p99: twinMs(99),
          p999: twinMs(99.9),
          max: max / 1000,
          mean: expect.closeTo(all.reduce((sum, us) => sum + us, 0) / all.length / 1000, 9),
          count: all.length,
        });
      }
    }),
    { numRuns: 60 },
  );
});
