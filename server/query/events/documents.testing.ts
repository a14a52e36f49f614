/** Documents of all shapes that an event may have, as JSON texts, for fast-check. */
import fc from 'fast-check';

/** Names that the documents below have, standard ones and others. */
export const testFields: readonly string[] = [
  'event.type',
  'event.time',
  'visitor.id',
  'session.id',
  'page.path',
  'page',
  'items.price',
  'a.b.c',
  '__proto__.x',
  'nowhere.to.be.found',
];

const uuid = fc.constantFrom(
  '3e0a6b52-7f6d-4a8e-9d7c-5b1f00000001',
  '3e0a6b52-7f6d-4a8e-9d7c-5b1f00000002',
  '00000000-0000-0000-0000-000000000000',
  '3E0A6B52-7F6D-4A8E-9D7C-5B1F00000001',
);

const scalar = fc.oneof(
  uuid,
  fc.constantFrom(
    '',
    'a',
    '1',
    'true',
    'NOW',
    '2026-11-21',
    'über',
    '\u{1f600}',
    '\u0001',
    '\ud800',
    '"\\\n',
  ),
  fc.constantFrom(0, -0, 1, 1.5, 1_795_264_215_000, 1_795_264_215_001, -7e300, 1e21),
  fc.integer(),
  fc.boolean(),
  fc.constant(null),
);

const value: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 5, arbitrary: scalar },
  { weight: 1, arbitrary: fc.array(fc.oneof(scalar, fc.array(scalar, { maxLength: 2 })), { maxLength: 4 }) },
);

const priced = fc.record({ price: value }, { requiredKeys: [] });
const pathed = fc.record({ path: value }, { requiredKeys: [] });

const shape = fc.record(
  {
    event: fc.record({ type: value, time: value }, { requiredKeys: [] }),
    visitor: fc.record({ id: value }, { requiredKeys: [] }),
    session: fc.oneof(fc.record({ id: value }), fc.array(fc.record({ id: value }), { maxLength: 2 })),
    page: fc.oneof(pathed, value),
    items: fc.array(fc.oneof(priced, scalar), { maxLength: 3 }),
    a: fc.oneof(value, fc.record({ b: fc.oneof(value, fc.record({ c: value })) })),
  },
  { requiredKeys: [] },
);

const odd = fc.constantFrom(
  '{"event":{"time":1e999},"page":{"path":-1e999}}',
  '{"__proto__":{"x":7},"visitor":{"id":"\\u0001"}}',
  '{ "visitor" : {"id":"3e0a6b52-7f6d-4a8e-9d7c-5b1f00000001"},"visitor":{"id":"twice"} }',
  '{"session":{"id":"3e0a6b52-7f6d-4a8e-9d7c-5b1f00000001"},"visitor":{"id":"3e0a6b52-7f6d-4a8e-9d7c-5b1f00000001"}}',
  '{"event":{"time":1795264215000.0,"id":"1795264215000"}}',
  '{',
  '"\u0001\u0002"',
  '[{"event":{"type":"no object"}}]',
);

/** JSON of one event, mostly; and what no collector writes. */
export const documentText: fc.Arbitrary<string> = fc.oneof(
  { weight: 8, arbitrary: shape.map((document) => JSON.stringify(document)) },
  { weight: 1, arbitrary: odd },
);
