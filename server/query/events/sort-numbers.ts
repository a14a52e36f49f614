/** Sorts much without holding the process: short runs first, then merges of them, with a breath in between. */
import type { Turns } from './question-turns.ts';

const runLength = 4096;
const breathEvery = 16_384;

/** A new array, ascending. */
export async function sortNumbers(given: Float64Array, turns: Turns): Promise<Float64Array> {
  let from = given.slice();
  for (let start = 0; start < from.length; start += runLength) {
    from.subarray(start, start + runLength).sort();
    await turns.breathe();
  }
  let into = new Float64Array(from.length);
  for (let width = runLength; width < from.length; width *= 2) {
    for (let start = 0; start < from.length; start += 2 * width) await merge(from, into, start, width, turns);
    [from, into] = [into, from];
  }
  return from;
}

async function merge(
  from: Float64Array,
  into: Float64Array,
  start: number,
  width: number,
  turns: Turns,
): Promise<void> {
  const middle = Math.min(start + width, from.length);
  const end = Math.min(middle + width, from.length);
  let [left, right, at] = [start, middle, start];
  while (at < end) {
    const stop = Math.min(end, at + breathEvery);
    while (at < stop) {
      const isLeft = left < middle && (right >= end || (from[left] as number) <= (from[right] as number));
      into[at++] = from[isLeft ? left++ : right++] as number;
    }
    await turns.breathe();
  }
}

/** The same of anything else; equal ones keep their order. */
export async function sortThings<T>(
  given: readonly T[],
  compare: (a: T, b: T) => number,
  turns: Turns,
): Promise<T[]> {
  let runs: T[][] = [];
  for (let start = 0; start < given.length; start += runLength / 4) {
    runs.push(given.slice(start, start + runLength / 4).sort(compare));
    await turns.breathe();
  }
  while (runs.length > 1) {
    const merged: T[][] = [];
    for (let i = 0; i < runs.length; i += 2) {
      merged.push(await mergeThings(runs[i] ?? [], runs[i + 1] ?? [], compare, turns));
    }
    runs = merged;
  }
  return runs[0] ?? [];
}

async function mergeThings<T>(
  a: readonly T[],
  b: readonly T[],
  compare: (a: T, b: T) => number,
  turns: Turns,
): Promise<T[]> {
  const into: T[] = [];
  let [left, right] = [0, 0];
  while (left < a.length || right < b.length) {
    const isLeft = right >= b.length || (left < a.length && compare(a[left] as T, b[right] as T) <= 0);
    into.push((isLeft ? a[left++] : b[right++]) as T);
    if (into.length % 1024 === 0) await turns.breathe();
  }
  return into;
}
