import fc from 'fast-check';
import { expect, test } from 'vitest';
import { visitorBucket, visitorField } from './visitor-field.ts';

test('a canonical uuid takes 16 bytes', () => {
  expect(visitorField('00010203-0405-0607-0809-0a0b0c0d0eff').toString('hex')).toBe(
    '000102030405060708090a0b0c0d0eff',
  );
});

test('no other text takes 16 bytes, and no two texts are alike', () => {
  const text = fc.oneof(
    fc.string({ minLength: 13, maxLength: 17 }),
    fc.string({ unit: fc.constantFrom('u', 't', 'w', '\ud800', '\udc00', '\ufffd'), maxLength: 17 }),
    fc.uuid().map((uuid) => uuid.toUpperCase().replace(/^[0-9]/, 'A')),
  );
  fc.assert(
    fc.property(text, text, (a, b) => {
      expect(visitorField(a).length).not.toBe(16);
      expect(visitorField(a).equals(visitorField(b))).toBe(a === b);
    }),
    { numRuns: 5000 },
  );
});

test('texts that differ by a prefix letter alone stay apart at the length of a uuid', () => {
  const texts = ['a'.repeat(15), `t${'a'.repeat(15)}`, `u${'a'.repeat(14)}`, `${'a'.repeat(15)}u`];
  expect(new Set(texts.map((text) => visitorField(text).toString('hex'))).size).toBe(4);
});

test('buckets are used evenly, also by uuids that count up', () => {
  const sizes = new Map<number, number>();
  for (let i = 0; i < 65_536; i++) {
    const bucket = visitorBucket(
      visitorField(`3e0a6b52-7f6d-4a8e-9d7c-5b1f${i.toString(16).padStart(8, '0')}`),
    );
    expect(bucket).toBeLessThan(32_768);
    sizes.set(bucket, (sizes.get(bucket) ?? 0) + 1);
  }
  expect(Math.max(...sizes.values())).toBeLessThan(20);
});
