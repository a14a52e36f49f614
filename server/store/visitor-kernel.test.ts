import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Kernel, makeKernel, makePlainKernel } from './visitor-kernel.ts';

const bytes = 256;
const anyBits = fc.uint8Array({ minLength: bytes, maxLength: bytes });
const places = { target: 0, before: bytes, a: 2 * bytes, b: 3 * bytes };

function filled(make: (bytes: number) => Kernel, parts: readonly Uint8Array[]): Kernel {
  const kernel = make(4 * bytes);
  for (const [i, part] of parts.entries()) new Uint8Array(kernel.buffer, i * bytes, bytes).set(part);
  return kernel;
}

test('join and count of the vectors are those of plain loops, for any stretch of any bitmaps', () => {
  const anyStretch = fc.tuple(fc.integer({ min: 0, max: 7 }), fc.integer({ min: 1, max: 8 }));
  fc.assert(
    fc.property(fc.tuple(anyBits, anyBits, anyBits, anyBits), anyStretch, (parts, [first, length]) => {
      const from = 16 * first;
      const to = 16 * (first + length);
      const [vectors, plain] = [filled(makeKernel, parts), filled(makePlainKernel, parts)];
      const { target, before, a, b } = places;
      expect(vectors.count(a + from, b + from, a + to)).toBe(plain.count(a + from, b + from, a + to));
      for (const { join } of [vectors, plain])
        join(target + from, before + from, a + from, b + from, target + to);
      const [ours, theirs] = [vectors, plain].map(({ buffer }) => Buffer.from(buffer, 0, 4 * bytes));
      expect(ours?.equals(theirs as Buffer)).toBe(true);
    }),
  );
});

test('plain loops count what a look at every bit counts, and join bit by bit', () => {
  fc.assert(
    fc.property(fc.tuple(anyBits, anyBits, anyBits, anyBits), (parts) => {
      const kernel = filled(makePlainKernel, parts);
      const [, before, a, b] = parts.map(bitsOf);
      const both = a?.map((bit, i) => bit && b?.[i] === true);
      expect(kernel.count(places.a, places.b, places.a + bytes)).toBe(both?.filter(Boolean).length);
      kernel.join(places.target, places.before, places.a, places.b, bytes);
      const joined = bitsOf(new Uint8Array(kernel.buffer, 0, bytes));
      expect(joined).toEqual(before?.map((bit, i) => bit || both?.[i] === true));
    }),
  );
});

const bitsOf = (part: Uint8Array): boolean[] =>
  [...part].flatMap((byte) => Array.from({ length: 8 }, (_none, bit) => ((byte >> bit) & 1) === 1));
