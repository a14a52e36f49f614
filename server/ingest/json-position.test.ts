import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jsonErrorPosition } from './json-position.ts';

describe('jsonErrorPosition', () => {
  it.each([
    ['', 0],
    ['  ', 2],
    ['{"a":1', 6],
    ['{"a":1,}', 7],
    ['{"a" 1}', 5],
    ['[1,]', 3],
    ['[1 2]', 3],
    ['{a:1}', 1],
    ['[1}', 2],
    ['{"a":tru}', 5],
    ['01', 1],
    ['1 1', 2],
    ['"a\nb"', 0],
    ['["\\x"]', 1],
    ['[1]]', 3],
  ])('finds the error of %j at %i', (text, position) => {
    expect(jsonErrorPosition(text)).toBe(position);
  });

  it('finds no error in what JSON.stringify writes, with and without indentation', () => {
    const isClean = (value: unknown): boolean =>
      jsonErrorPosition(JSON.stringify(value)) === undefined &&
      jsonErrorPosition(JSON.stringify(value, null, 2)) === undefined;
    fc.assert(fc.property(fc.jsonValue(), isClean));
  });

  it('agrees with JSON.parse on whether a damaged text is JSON', () => {
    const damaged = fc
      .tuple(
        fc.jsonValue(),
        fc.nat(),
        fc.constantFrom('', ',', '"', '}', ']', '{', '[', ':', '1', '\\', ' ', '-', 'e'),
      )
      .map(([value, seed, insert]) => {
        const text = JSON.stringify(value);
        const at = seed % (text.length + 1);
        return text.slice(0, at) + insert + text.slice(at + (seed % 2));
      });
    fc.assert(
      fc.property(damaged, (text) => {
        let parses = true;
        try {
          JSON.parse(text);
        } catch {
          parses = false;
        }
        return (jsonErrorPosition(text) === undefined) === parses;
      }),
      { numRuns: 2000 },
    );
  });

  it('does not overflow the stack on a megabyte of open brackets', () => {
    expect(jsonErrorPosition('['.repeat(1_048_576))).toBe(1_048_576);
  });
});
