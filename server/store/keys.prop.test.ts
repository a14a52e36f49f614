import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  escapeName,
  eventKeyName,
  noCampaign,
  PropertyKeys,
  segmentKey,
  sourceKeyName,
  unescapeName,
} from './keys.ts';

/** Names out of the characters that could do harm, so that the collisions a mistake allows are found. */
const name = fc.oneof(
  fc.string({
    unit: fc.constantFrom(
      ':',
      '%',
      '{',
      '}',
      '#',
      '-',
      '3',
      'A',
      'u',
      'D',
      '8',
      '0',
      's',
      '\u0000',
      '\n',
      '\ud800',
      '\udc00',
    ),
    maxLength: 6,
  }),
  fc.string({ unit: 'binary', maxLength: 8 }),
);

test('no two names are escaped alike, and the name can be read back', () => {
  fc.assert(
    fc.property(name, (text) => {
      expect(unescapeName(escapeName(text))).toBe(text);
    }),
    { numRuns: 5000 },
  );
});

test('an escaped name survives UTF-8 and holds nothing that separates the parts of a key', () => {
  fc.assert(
    fc.property(name, (text) => {
      const escaped = escapeName(text);
      expect(Buffer.from(escaped).toString()).toBe(escaped);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
      expect(escaped).not.toMatch(/[:{}#\u0000-\u001f\u007f]/);
      expect(escaped).not.toBe(noCampaign);
    }),
    { numRuns: 5000 },
  );
});

const keyParts = fc.record({
  account: name,
  property: name,
  kind: fc.constantFrom('event', 'source', 'home', 'info', 'index', 'eids'),
  first: name,
  second: fc.option(name, { nil: undefined }),
  segment: fc.integer({ min: 0, max: 2 }),
});

function keyOf({
  account,
  property,
  kind,
  first,
  second,
  segment,
}: typeof keyParts extends fc.Arbitrary<infer T> ? T : never): string {
  const keys = new PropertyKeys({ account, property });
  if (kind === 'event') return segmentKey(keys.bucket(eventKeyName(first), '2026-11-21'), segment);
  if (kind === 'source') return segmentKey(keys.bucket(sourceKeyName(first, second), '2026-11-21'), segment);
  if (kind === 'home') return keys.sessionHome(escapeName(first));
  if (kind === 'info') return keys.sessionInfo('2026-11-21', escapeName(first));
  return kind === 'index' ? keys.sessionIndex('2026-11-21') : keys.eventIds('2026-11-21');
}

/** What the key must depend on: the rest of the record does not enter it. */
function meaningOf(parts: Parameters<typeof keyOf>[0]): string {
  const { account, property, kind, first, second, segment } = parts;
  const names =
    kind === 'source' ? [first, second ?? null, segment] : kind === 'event' ? [first, segment] : [first];
  return JSON.stringify([account, property, kind, ...(kind === 'index' || kind === 'eids' ? [] : names)]);
}

test('two keys are equal only if account, property, kind and names are', () => {
  fc.assert(
    fc.property(keyParts, keyParts, (a, b) => {
      const similar = { ...b, account: a.account, property: a.property, kind: a.kind };
      for (const other of [b, similar])
        expect(keyOf(a) === keyOf(other)).toBe(meaningOf(a) === meaningOf(other));
    }),
    { numRuns: 10_000 },
  );
});

test('the documented key of segment 0 has no suffix', () => {
  const keys = new PropertyKeys({ account: 'demo', property: 'site' });
  const bucket = keys.bucket(eventKeyName('cart:add'), '2026-11-21');
  expect(bucket).toBe('{demo::site}::evt:cart%3Aadd::2026-11-21');
  expect(segmentKey(bucket, 0)).toBe(bucket);
  expect(segmentKey(bucket, 2)).toBe(`${bucket}::s2`);
  expect(sourceKeyName('news', undefined)).toBe('src:news::cpg:%-');
});
