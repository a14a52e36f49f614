import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rejectReasons } from '../protocol/event.ts';
import { limits } from '../protocol/limits.ts';
import { acceptBody } from './accept.ts';
import { receipt, wireEvent } from './event.testing.ts';

const accept = (text: string) => acceptBody(Buffer.from(text), receipt);
const view = JSON.stringify(wireEvent());

describe('acceptBody', () => {
  it('takes one event, an array of events, and an object with items', () => {
    for (const body of [view, `[${view}]`, `{"items":[${view}]}`]) {
      expect(accept(body)).toMatchObject([{ type: 'view', visitorId: 'v-1' }]);
    }
  });

  it('judges each event alone and keeps their order', () => {
    expect(accept(`[${view},{},5,${view}]`)).toMatchObject([
      { seq: 7 },
      'missing_type',
      'not_an_object',
      { seq: 7 },
    ]);
  });

  it('takes an event that has a member named items for an event', () => {
    expect(accept(JSON.stringify(wireEvent({ items: [1, 2] })))).toMatchObject([{ type: 'view' }]);
  });

  it('gives nothing for an empty list', () => {
    expect(accept('[]')).toEqual([]);
    expect(accept('{"items":[]}')).toEqual([]);
  });

  it('refuses more than 1,000 events as a whole', () => {
    const list = (length: number): string => `[${Array.from({ length }, () => '{}').join()}]`;
    expect(accept(list(limits.eventsPerWriteMax))).toHaveLength(limits.eventsPerWriteMax);
    expect(accept(list(limits.eventsPerWriteMax + 1))).toMatchObject({
      status: 413,
      code: 'too_many_events',
    });
  });

  it.each([
    ['', 'unexpected end of the body at position 0'],
    ['{"event":', 'unexpected end of the body at position 9'],
    ['[1,]', 'unexpected "]" at position 3'],
    ['nonsense', 'unexpected "nonsense" at position 0'],
  ])('refuses %j and says where it stops being JSON', (text, message) => {
    expect(accept(text)).toEqual({
      status: 400,
      code: 'bad_json',
      message: `the body is not JSON: ${message}`,
    });
  });

  it('refuses a body that is not UTF-8', () => {
    const body = Buffer.concat([Buffer.from('"'), Buffer.from([0xc3, 0x28]), Buffer.from('"')]);
    expect(acceptBody(body, receipt)).toMatchObject({ status: 400, code: 'not_utf8' });
  });

  it.each(['{"items":5}', '{"items":{}}', '{"items":[],"more":1}', '{"items":[],"__proto__":1}'])(
    'refuses the envelope %s',
    (text) => {
      expect(accept(text)).toMatchObject({ status: 400, code: 'bad_body' });
    },
  );

  it('never throws and pollutes no prototype, whatever JSON it is given', () => {
    const names = fc.constantFrom(
      ...[
        'event',
        'session',
        'visitor',
        'tab',
        'page',
        'source',
        'user',
        'items',
        'type',
        'time',
        'seq',
        'id',
        'start',
        'path',
      ],
      ...[
        'name',
        'campaign',
        '_m1',
        '__proto__',
        'constructor',
        'prototype',
        'toString',
        'toJSON',
        'hasOwnProperty',
        '',
        '0',
      ],
    );
    const leaf = fc.oneof(
      fc.jsonValue({ maxDepth: 1 }),
      fc.constantFrom('view', 7, 1.5, -1, 1e308, 1.7953e12, '\\ud800'),
    );
    const { tree } = fc.letrec<{ tree: string }>((tie) => ({
      tree: fc.oneof(
        { depthSize: 'small' },
        leaf.map((value) => JSON.stringify(value)),
        fc.array(tie('tree'), { maxLength: 4 }).map((items) => `[${items.join()}]`),
        fc
          .array(fc.tuple(names, tie('tree')), { maxLength: 4 })
          .map((members) => `{${members.map(([name, value]) => `${JSON.stringify(name)}:${value}`).join()}}`),
      ),
    }));
    // Half of the bodies begin as a good event, so that the walk gets past the first check.
    const members = fc
      .array(fc.tuple(names, tree), { maxLength: 4 })
      .map((list) => list.map(([name, value]) => `,${JSON.stringify(name)}:${value}`).join(''));
    const nearlyGood = fc
      .tuple(members, members, members)
      .map(([a, b, c]) => `{"event":{"type":"view"${a}},"visitor":{"id":"v"${b}}${c}}`);
    const before = Reflect.ownKeys(Object.prototype).length + Reflect.ownKeys(Array.prototype).length;
    fc.assert(
      fc.property(fc.oneof(tree, nearlyGood), (text) => {
        const items = accept(text);
        if (Array.isArray(items)) {
          for (const item of items) {
            if (typeof item === 'string') expect(rejectReasons).toHaveProperty(item);
            else expect(JSON.parse(item.json)._m1.ip).toBe(receipt.ip);
          }
        } else if ('status' in items) expect(items.status).toBeGreaterThanOrEqual(400);
        expect(Object.getPrototypeOf({})).toBe(Object.prototype);
        expect(Reflect.ownKeys(Object.prototype).length + Reflect.ownKeys(Array.prototype).length).toBe(
          before,
        );
      }),
      { numRuns: 1000 },
    );
  });

  it('accepts any well-formed further members and keeps them in the document', () => {
    const further = fc.dictionary(
      fc.string({ unit: 'binary', minLength: 1 }).map((name) => `x${name}`),
      fc.jsonValue({ maxDepth: 3 }),
      { maxKeys: 5 },
    );
    const forbidden = /"(?:__proto__|constructor|prototype)":/;
    const wellFormed = further.filter((members) => !forbidden.test(JSON.stringify(members)));
    fc.assert(
      fc.property(wellFormed, (members) => {
        const [item] = accept(JSON.stringify({ ...wireEvent(), ...members })) as { json: string }[];
        const { _m1: _added, ...kept } = JSON.parse(item?.json ?? '');
        expect(kept).toEqual(JSON.parse(JSON.stringify({ ...wireEvent(), ...members })));
      }),
    );
  });

  it('survives a megabyte of open brackets', () => {
    expect(accept('['.repeat(limits.bodyBytesMax))).toMatchObject({ code: 'bad_json' });
    expect(accept('['.repeat(500_000) + ']'.repeat(500_000))).toEqual(['not_an_object']);
  });
});
