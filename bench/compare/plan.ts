/** The plan of a session, settled before anything is measured. */
import { deriveStream } from '../../sim/random/random-stream.ts';
import type { Plan } from '../record/index.ts';

/** One-sided, at stage one. */
export const stageOneAlpha = 0.005;

/**
 * Which arm comes first in each pair: exactly half each way (one more of either for an odd number), in an order
 * of chance. A fixed order makes identical code 20 to 40 % apart, because the second arm finds the machine as
 * the first one left it.
 */
export function balancedOrder(pairs: number, seed: number): ('BC' | 'CB')[] {
  const stream = deriveStream(seed, pairs);
  const firstMore = stream.int(2);
  const order = Array.from({ length: pairs }, (_, at): 'BC' | 'CB' =>
    (at + firstMore) % 2 === 0 ? 'BC' : 'CB',
  );
  // Fisher and Yates, from the end.
  for (let at = pairs - 1; at > 0; at -= 1) {
    const other = stream.int(at + 1);
    [order[at], order[other]] = [order[other] as 'BC' | 'CB', order[at] as 'BC' | 'CB'];
  }
  return order;
}

/** 12 pairs at 0.5 % unless said otherwise. */
export function planSession(seed: number, options: Partial<Omit<Plan, 'order'>> = {}): Plan {
  const pairs = options.pairs ?? 12;
  return {
    ...{ pairs, alpha: stageOneAlpha, delta: {}, aaFloor: {}, counters: {}, generatorCeilingPerSec: null },
    ...options,
    order: balancedOrder(pairs, seed),
  };
}

/** The seed of one pair: both its trials replay the same arrivals, other pairs others. */
export function pairSeed(seed: number, pair: number): number {
  return deriveStream(seed, pair, 1).uint32();
}
