/**
 * Threefry, 20 rounds: turns a key and a counter into random words, without any state.
 *
 * For one key it is a one-to-one map of counters, so different (slot, generation) never give the same
 * output. Streams and ids of the crowd are derived with it. It is made of 32-bit additions, rotations
 * and exclusive-ors only, which JavaScript does exactly and fast; Philox would need 64-bit products.
 *
 * Source: Salmon, Moraes, Dror, Shaw: "Parallel Random Numbers: As Easy as 1, 2, 3", SC'11. The
 * rotation constants and the known answers in the test are those of its reference library, Random123.
 */

/** Skein's key schedule parity constant, 32-bit form. */
const parity = 0x1bd11bda;

const rotations2 = new Int32Array([13, 15, 26, 6, 17, 29, 16, 24]);
/** Rounds come in pairs: for round r the words (0,1) turn by entry 2r and (2,3) by entry 2r + 1. */
const rotations4 = new Int32Array([10, 26, 11, 21, 13, 27, 23, 5, 6, 20, 17, 11, 25, 10, 18, 20]);

const rounds = 20;

function rotateLeft(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}

/**
 * Threefry-2x32-20. Reads the key from `key[0..1]` and writes the two output words (signed) to
 * `out[0..1]`; `key` and `out` may be the same array.
 */
export function threefry2x32(key: Int32Array, counter0: number, counter1: number, out: Int32Array): void {
  const key0 = key[0] as number;
  const key1 = key[1] as number;
  const key2 = parity ^ key0 ^ key1;
  let x0 = (counter0 + key0) | 0;
  let x1 = (counter1 + key1) | 0;
  for (let round = 0; round < rounds; round += 1) {
    x0 = (x0 + x1) | 0;
    x1 = rotateLeft(x1, rotations2[round & 7] as number) ^ x0;
    if ((round & 3) !== 3) continue;
    const injection = (round + 1) >> 2;
    const phase = injection % 3;
    x0 = (x0 + (phase === 0 ? key0 : phase === 1 ? key1 : key2)) | 0;
    x1 = (x1 + (phase === 0 ? key1 : phase === 1 ? key2 : key0) + injection) | 0;
  }
  out[0] = x0;
  out[1] = x1;
}

/**
 * Threefry-4x32-20. `schedule` is the key with its parity word, from `keySchedule4`; the four output
 * words (signed) are written to `out[0..3]`.
 */
export function threefry4x32(
  schedule: Int32Array,
  counter0: number,
  counter1: number,
  counter2: number,
  counter3: number,
  out: Int32Array,
): void {
  let x0 = (counter0 + (schedule[0] as number)) | 0;
  let x1 = (counter1 + (schedule[1] as number)) | 0;
  let x2 = (counter2 + (schedule[2] as number)) | 0;
  let x3 = (counter3 + (schedule[3] as number)) | 0;
  for (let round = 0; round < rounds; round += 1) {
    const turn = (round & 7) * 2;
    x0 = (x0 + x1) | 0;
    x1 = rotateLeft(x1, rotations4[turn] as number) ^ x0;
    x2 = (x2 + x3) | 0;
    x3 = rotateLeft(x3, rotations4[turn + 1] as number) ^ x2;
    const swapped = x1;
    x1 = x3;
    x3 = swapped;
    if ((round & 3) !== 3) continue;
    const injection = (round + 1) >> 2;
    x0 = (x0 + (schedule[injection % 5] as number)) | 0;
    x1 = (x1 + (schedule[(injection + 1) % 5] as number)) | 0;
    x2 = (x2 + (schedule[(injection + 2) % 5] as number)) | 0;
    x3 = (x3 + (schedule[(injection + 3) % 5] as number) + injection) | 0;
  }
  out[0] = x0;
  out[1] = x1;
  out[2] = x2;
  out[3] = x3;
}

/** The four key words and their parity word, as `threefry4x32` wants them. */
export function keySchedule4(key0: number, key1: number, key2: number, key3: number): Int32Array {
  return Int32Array.of(key0, key1, key2, key3, parity ^ key0 ^ key1 ^ key2 ^ key3);
}
