/**
 * Loops over bitmaps in WebAssembly, 128 visitors at a time, for what meets bitmaps thousands of times in one answer.
 * Measured beside the same loops in JavaScript: 0.2 to 0.4 ns a word of 32 visitors, not 2 to 5.
 *
 * Two functions, assembled here; all numbers are byte offsets, lengths are multiples of 16:
 *   join(target, before, a, b, end)   target = before | (a & b), until target is `end`
 *   count(a, b, end) -> i32           how many are in both, until a is `end`
 */

const [i32, v128] = [0x7f, 0x7b];
const get = (local: number): number[] => [0x20, local];
const set = (local: number): number[] => [0x21, local];
const load = (local: number): number[] => [...get(local), 0xfd, 0x00, 0, 0];
const store = [0xfd, 0x0b, 0, 0];
const [and, or] = [
  [0xfd, 0x4e],
  [0xfd, 0x50],
];
/** i8x16.popcnt, then neighbours summed to 16 and to 32 bits. */
const countOf4 = [0xfd, 0x62, 0xfd, 0x7d, 0xfd, 0x7f];
const addOf4 = [0xfd, 0xae, 0x01];
const add = [0x6a];
const lane = (number: number): number[] => [0xfd, 0x1b, number];
const goOn = (local: number): number[] => [...get(local), 0x41, 16, ...add, ...set(local)];
/** Does it all again while one local is less than another. */
const loop = (body: readonly number[], local: number, end: number): number[] => [
  ...[0x03, 0x40, ...body],
  ...[...get(local), ...get(end), 0x49, 0x0d, 0, 0x0b],
];
const end = 0x0b;

const joinCode = [
  0,
  ...loop(
    [...get(0), ...load(1), ...load(2), ...load(3), ...and, ...or, ...store, ...[0, 1, 2, 3].flatMap(goOn)],
    0,
    4,
  ),
  end,
];
const countCode = [
  ...[1, 1, v128],
  ...loop(
    [...get(3), ...load(0), ...load(1), ...and, ...countOf4, ...addOf4, ...set(3), ...goOn(0), ...goOn(1)],
    0,
    2,
  ),
  ...[...get(3), ...lane(0), ...get(3), ...lane(1), ...add],
  ...[...get(3), ...lane(2), ...add, ...get(3), ...lane(3), ...add],
  end,
];

const vector = (items: readonly (readonly number[])[]): number[] => [items.length, ...items.flat()];
/** Lengths below 2^14, in LEB128. */
const sized = (bytes: readonly number[]): number[] => [
  ...[(bytes.length & 0x7f) | 0x80, bytes.length >> 7],
  ...bytes,
];
const text = (name: string): number[] => [name.length, ...Buffer.from(name)];

const moduleBytes = Uint8Array.from([
  ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
  // Types: of join, of count.
  ...[
    1,
    ...sized(
      vector([
        [0x60, 5, i32, i32, i32, i32, i32, 0],
        [0x60, 3, i32, i32, i32, 1, i32],
      ]),
    ),
  ],
  // Memory, imported.
  ...[2, ...sized(vector([[...text('e'), ...text('m'), 0x02, 0x00, 1]]))],
  ...[3, ...sized(vector([[0], [1]]))],
  ...[
    7,
    ...sized(
      vector([
        [...text('join'), 0, 0],
        [...text('count'), 0, 1],
      ]),
    ),
  ],
  ...[10, ...sized(vector([sized(joinCode), sized(countCode)]))],
]);

export interface Kernel {
  readonly buffer: ArrayBuffer;
  readonly join: (target: number, before: number, a: number, b: number, end: number) => void;
  readonly count: (a: number, b: number, end: number) => number;
}

/** What is needed of the global `WebAssembly`, which the types of Node leave out. */
interface WebAssemblyGlobal {
  readonly validate: (bytes: Uint8Array) => boolean;
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Memory: new (size: { initial: number }) => { readonly buffer: ArrayBuffer };
  readonly Instance: new (module: object, imports: object) => { readonly exports: Omit<Kernel, 'buffer'> };
}
const { WebAssembly: wasm } = globalThis as unknown as { readonly WebAssembly: WebAssemblyGlobal };

const pageBytes = 65_536;
/** Undefined on a processor without 128-bit vectors. */
const compiled = wasm.validate(moduleBytes) ? new wasm.Module(moduleBytes) : undefined;

/** A kernel and its memory, all zero, of at least so many bytes. */
export function makeKernel(bytes: number): Kernel {
  if (compiled === undefined) return makePlainKernel(bytes);
  const memory = new wasm.Memory({ initial: Math.max(1, Math.ceil(bytes / pageBytes)) });
  const { join, count } = new wasm.Instance(compiled, { e: { m: memory } }).exports;
  return { buffer: memory.buffer, join, count };
}

/** The same in JavaScript, for processors that have no better, and to test the other one by. */
export function makePlainKernel(bytes: number): Kernel {
  const words = new Uint32Array(Math.ceil(bytes / 4));
  return {
    buffer: words.buffer,
    join(target, before, a, b, end) {
      for (let i = 0; target + i < end; i += 4)
        words[(target + i) >> 2] =
          (words[(before + i) >> 2] as number) |
          ((words[(a + i) >> 2] as number) & (words[(b + i) >> 2] as number));
    },
    count(a, b, end) {
      let total = 0;
      for (let i = 0; a + i < end; i += 4)
        total += bitsOf((words[(a + i) >> 2] as number) & (words[(b + i) >> 2] as number));
      return total;
    },
  };
}

/** How many bits of 32 are set. */
export function bitsOf(word: number): number {
  const pairs = word - ((word >>> 1) & 0x55555555);
  const fours = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
