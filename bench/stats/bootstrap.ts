/**
 * The bootstrap: how a statistic would have varied, from samples drawn again with replacement (Efron, Ann.
 * Statist. 7, 1979). For figures that no exact interval exists for; the gate never rests on it. What is drawn
 * is whole trials or whole pairs, never requests, which aren't independent. Same seed, same interval.
 */
import assert from 'node:assert';
import { deriveStream } from '../../sim/random/random-stream.ts';
import { quantile } from './order.ts';

export interface BootstrapOptions {
  readonly seed: number;
  /** Of the interval, such as 0.95. */
  readonly confidence?: number;
  readonly resamples?: number;
}

export interface Interval {
  readonly estimate: number;
  readonly lower: number;
  readonly upper: number;
}

/** The percentile interval of `statistic` over `items`, of which there must be at least one. */
export function bootstrap<T>(
  items: readonly T[],
  statistic: (sample: readonly T[]) => number,
  { seed, confidence = 0.95, resamples = 2000 }: BootstrapOptions,
): Interval {
  assert(items.length > 0 && resamples > 0 && confidence > 0 && confidence < 1, 'bootstrap');
  const stream = deriveStream(seed, items.length);
  const drawn = Array.from({ length: resamples }, () =>
    statistic(items.map(() => items[stream.int(items.length)] as T)),
  );
  const tail = (1 - confidence) / 2;
  return { estimate: statistic(items), lower: quantile(drawn, tail), upper: quantile(drawn, 1 - tail) };
}
