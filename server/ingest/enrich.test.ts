import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { enrichedJson } from './enrich.ts';
import { receipt, receivedMs } from './event.testing.ts';

const added = { receivedUTC: receivedMs, ip: '192.0.2.7' };
const parse = (text: string): Record<string, unknown> => JSON.parse(text);

describe('enrichedJson', () => {
  it('adds the received time and the address, and the flag where the received time was used', () => {
    expect(parse(enrichedJson({ a: 1 }, undefined, receipt, false))).toEqual({ a: 1, _m1: added });
    expect(parse(enrichedJson({ a: 1 }, undefined, receipt, true))).toEqual({
      a: 1,
      _m1: { ...added, time: 'received' },
    });
  });

  it.each(['{"_m1":{"ip":"6.6.6.6"},"a":1}', '{"a":1,"_\\u006d1":{"ip":"6.6.6.6"}}'])(
    'drops the forged _m1 of %s',
    (text) => {
      const json = enrichedJson(parse(text), text, receipt, false);
      expect(parse(json)).toEqual({ a: 1, _m1: added });
      // A second member of that name would be hidden from JSON.parse, but not from every reader.
      expect(json).not.toContain('6.6.6.6');
    },
  );

  it('stores one line, also when the client sent several', () => {
    const text = JSON.stringify({ a: 'x\ny', b: [1, 2] }, null, 2);
    const json = enrichedJson(parse(text), text, receipt, false);
    expect(json).not.toContain('\n');
    expect(parse(json)).toEqual({ a: 'x\ny', b: [1, 2], _m1: added });
  });

  it('gives the same document from the text at hand as from the parsed event', () => {
    const event = fc.dictionary(
      fc.string().filter((name) => name !== '_m1' && name !== '__proto__'),
      fc.jsonValue(),
      { minKeys: 1 },
    );
    const spaces = fc.constantFrom('', ' ', '\n', '\r\n', '\t');
    fc.assert(
      fc.property(event, spaces, spaces, fc.constantFrom(undefined, 1), (value, before, after, indent) => {
        const text = before + JSON.stringify(value, null, indent) + after;
        const fromText = enrichedJson(parse(text), text, receipt, false);
        expect(fromText).not.toContain('\n');
        expect(parse(fromText)).toEqual(parse(enrichedJson(parse(text), undefined, receipt, false)));
      }),
    );
  });

  it('keeps digits that a number would lose when it has the text', () => {
    const text = '{"order":12345678901234567890}';
    expect(enrichedJson(parse(text), text, receipt, false)).toContain('"order":12345678901234567890,');
  });
});
