/**
 * All ways to exchange the two arms within pairs, for tests by permutation: 2^R of them, or a random sample of
 * as many as fit a glance where there are more. The first is always the one that was measured.
 */
import { deriveStream } from '../../sim/random/random-stream.ts';

/** Up to here all of them are taken: 2^14, some 20 ms for the shift function. */
const exactPairsMax = 14;

/** Calls `visit` with one list of signs (+1 or -1, one a pair) after another; the list is used again. */
export function forEachFlip(pairs: number, seed: number, visit: (signs: readonly number[]) => void): void {
  const signs = new Array<number>(pairs).fill(1);
  const exact = pairs <= exactPairsMax;
  const stream = deriveStream(seed, pairs);
  const rounds = 2 ** Math.min(pairs, exactPairsMax);
  for (let round = 0; round < rounds; round += 1) {
    if (round > 0)
      for (let pair = 0; pair < pairs; pair += 1) {
        const flip = exact ? (round >> pair) & 1 : stream.int(2);
        signs[pair] = flip === 1 ? -1 : 1;
      }
    visit(signs);
  }
}
