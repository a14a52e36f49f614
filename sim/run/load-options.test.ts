import { expect, test } from 'vitest';
import { resolveSimOptions } from './options.ts';

test('stages, rates, curves and spikes are read as their words say', () => {
  const { stages, loadPlan } = resolveSimOptions({ stages: '1m:1000,5m:5000,1m:0' });
  expect(stages).toEqual([
    { durationMs: 60_000, level: 1000 },
    { durationMs: 300_000, level: 5000 },
    { durationMs: 60_000, level: 0 },
  ]);
  expect(loadPlan?.model).toBe('present');
  expect(resolveSimOptions({ arrivals: 'uniform:90/m' }).arrivals).toEqual({
    process: 'uniform',
    perSecond: 1.5,
  });
  expect(resolveSimOptions({ arrivals: '50/s' }).loadPlan?.model).toBe('poisson');
  expect(resolveSimOptions({ curve: 'week:3,10m' }).curve).toEqual({
    shape: 'week',
    peak: 3,
    dayMs: 600_000,
  });
  expect(resolveSimOptions({ spike: 'at=2m,x=5,for=10s;at=3m,x=2,for=1s' }).spikes).toEqual([
    { atMs: 120_000, times: 5, forMs: 10_000 },
    { atMs: 180_000, times: 2, forMs: 1000 },
  ]);
});

test('without any of them the plan is the one of always: so many present, gathered by the ramp', () => {
  expect(resolveSimOptions({ visitors: 7 }).loadPlan).toBeUndefined();
  expect(resolveSimOptions({ visitors: 7, warm: true }).loadPlan).toBeUndefined();
});

test.each<[Record<string, unknown>, string]>([
  [
    { arrivals: '50' },
    '--arrivals: needs a rate from 0.01/s to 100000/s such as 50/s or uniform:50/s, got "50"',
  ],
  [{ arrivals: 'burst:50/s' }, '--arrivals: needs a rate'],
  [{ stages: '1m:0' }, '--stages: needs durations of at least 100ms and numbers'],
  [{ stages: '1m1000' }, '--stages: needs'],
  [{ stages: '1m:-5' }, '--stages: needs'],
  [{ curve: 'day:1' }, '--curve: needs day or week, a peak above 1'],
  [{ curve: 'month' }, '--curve: needs'],
  [{ spike: 'at=2m,x=5' }, '--spike: needs at=2m,x=5,for=10s'],
  [{ spike: 'at=2m,x=0,for=9s' }, '--spike: needs'],
  [{ stages: '1m:5', arrivals: '5/s' }, '--stages: says how many are present, which --arrivals leaves open'],
  [{ stages: '1m:5', curve: 'day' }, '--stages: says how many are present, and so does --curve'],
  [{ stages: '1m:5', warm: true }, '--warm: needs visitors at the start'],
  [{ arrivals: '5/s', warm: true }, '--warm: needs a number of visitors who are present'],
  [{ crowd: 'zoo' }, '--crowd: needs shop, boutique, news, app, or a config file, got "zoo"'],
  [
    { crowd: 'news', heartbeat: '3h' },
    '--heartbeat: needs to be no longer than a visit, the 7200000 ms of crowd.session.maxMs',
  ],
  [
    { crowd: { preset: 'news', network: { drop: 0.1 } }, session: 'stash' },
    '--session: needs a crowd without crowd.network',
  ],
  [{ arrivals: '5/s', session: 'stash' }, '--session: needs one visit at a time in each place'],
])('%j is refused: %s', (flags, message) => {
  expect(() => resolveSimOptions(flags)).toThrow(message);
});
