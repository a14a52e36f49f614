/**
 * A set of positions in one segment: bit `p & 31` of word `p >>> 5`, 8 KB for 65,536 events. Bits from the
 * segment's count on are 0. Sets are shared: whoever got one does not change it.
 */
export type DocSet = Uint32Array;

export const wordsOf = (count: number): number => (count + 31) >>> 5;

export function noneOf(count: number): DocSet {
  return new Uint32Array(wordsOf(count));
}

export function allOf(count: number): DocSet {
  const set = new Uint32Array(wordsOf(count)).fill(0xffff_ffff);
  clearRest(set, count);
  return set;
}

function clearRest(set: DocSet, count: number): void {
  const used = count & 31;
  if (used !== 0) set[set.length - 1] = (set[set.length - 1] as number) & ((1 << used) - 1);
}

export function intersect(a: DocSet, b: DocSet): DocSet {
  const set = new Uint32Array(a.length);
  for (let word = 0; word < set.length; word++) set[word] = (a[word] as number) & (b[word] as number);
  return set;
}

export function unite(a: DocSet, b: DocSet): DocSet {
  const set = new Uint32Array(a.length);
  for (let word = 0; word < set.length; word++) set[word] = (a[word] as number) | (b[word] as number);
  return set;
}

export function without(set: DocSet, count: number): DocSet {
  const rest = new Uint32Array(set.length);
  for (let word = 0; word < rest.length; word++) rest[word] = ~(set[word] as number);
  clearRest(rest, count);
  return rest;
}

export function sizeOf(set: DocSet): number {
  let size = 0;
  for (let word = 0; word < set.length; word++) size += bitsOf(set[word] as number);
  return size;
}

/** Population count by adding neighbours (Hacker's Delight, 5-1). */
function bitsOf(word: number): number {
  let bits = word - ((word >>> 1) & 0x5555_5555);
  bits = (bits & 0x3333_3333) + ((bits >>> 2) & 0x3333_3333);
  bits = (bits + (bits >>> 4)) & 0x0f0f_0f0f;
  return Math.imul(bits, 0x0101_0101) >>> 24;
}

export const hasPosition = (set: DocSet, position: number): boolean =>
  (((set[position >>> 5] as number) >>> (position & 31)) & 1) === 1;

export function addPosition(set: DocSet, position: number): void {
  set[position >>> 5] = (set[position >>> 5] as number) | (1 << (position & 31));
}

/**
 * Writes the positions that lie in words `from` to `end`, ascending; returns how many.
 * @param into room for 32 positions a word
 */
export function listPositions(set: DocSet, from: number, end: number, into: Uint32Array): number {
  let length = 0;
  for (let word = from; word < end; word++) {
    let bits = set[word] as number;
    const base = word << 5;
    while (bits !== 0) {
      const lowest = bits & -bits;
      into[length++] = base + (31 - Math.clz32(lowest));
      bits ^= lowest;
    }
  }
  return length;
}
