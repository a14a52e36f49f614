import { expect, test } from 'vitest';
import { IdFactory, idKinds } from './ids.ts';

test('an id has the layout of an RFC 9562 version 8 uuid', () => {
  const ids = new IdFactory(1, 'run');
  for (let slot = 0; slot < 2000; slot += 1) {
    expect(ids.uuid(idKinds.visitor, slot, 0)).toMatch(
      /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
  }
});

test('the same seed and run id give the same id, whoever asks and in whatever order', () => {
  const one = new IdFactory(7, 'run-a');
  const other = new IdFactory(7, 'run-a');
  const first = one.uuid(idKinds.session, 3, 4);
  other.uuid(idKinds.session, 9, 9);
  expect(other.uuid(idKinds.session, 3, 4)).toBe(first);
});

test('another seed, run id, kind, slot or number gives another id', () => {
  const ids = [
    new IdFactory(7, 'run-a').uuid(idKinds.session, 3, 4),
    new IdFactory(8, 'run-a').uuid(idKinds.session, 3, 4),
    new IdFactory(7, 'run-b').uuid(idKinds.session, 3, 4),
    new IdFactory(7, 'run-a').uuid(idKinds.visitor, 3, 4),
    new IdFactory(7, 'run-a').uuid(idKinds.session, 4, 3),
    new IdFactory(7, 'run-a').uuid(idKinds.session, 3, 5),
  ];
  expect(new Set(ids).size).toBe(ids.length);
});

test('a quarter of a million ids of one run are all different, and every free bit is set in half of them', () => {
  const ids = new IdFactory(1, 'run');
  const seen = new Set<string>();
  const ones = new Array<number>(128).fill(0);
  for (let slot = 0; slot < 50_000; slot += 1) {
    for (let number = 0; number < 5; number += 1) seen.add(ids.uuid(idKinds.session, slot, number));
  }
  expect(seen.size).toBe(250_000);
  for (const id of seen) countBits(id, ones);
  // Bits 48 to 51 are the version 1000, bits 64 and 65 the variant 10.
  expect([48, 49, 50, 51, 64, 65].map((bit) => (ones[bit] as number) / seen.size)).toEqual([
    1, 0, 0, 0, 1, 0,
  ]);
  const deviation = Math.sqrt(seen.size / 4);
  const free = ones.filter((_count, bit) => (bit < 48 || bit > 51) && bit !== 64 && bit !== 65);
  for (const count of free) expect(Math.abs(count - seen.size / 2)).toBeLessThan(5 * deviation);
});

function countBits(id: string, ones: number[]): void {
  const digits = id.replaceAll('-', '');
  for (let word = 0; word < 4; word += 1) {
    const value = Number.parseInt(digits.slice(word * 8, word * 8 + 8), 16);
    for (let bit = 0; bit < 32; bit += 1) {
      const index = word * 32 + bit;
      if ((value >>> (31 - bit)) & 1) ones[index] = (ones[index] as number) + 1;
    }
  }
}
