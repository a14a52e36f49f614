import { describe, expect, it } from 'vitest';
import { parseLucene } from './parse.ts';
import { printQuery } from './print.ts';
import { isLuceneError, luceneLimits } from './query.ts';

const nowMs = Date.UTC(2026, 10, 21, 17, 5, 30);

/** The query in its canonical form, which shows its structure; or the error's position and message. */
function read(text: string): string {
  const query = parseLucene(text, { nowMs });
  return isLuceneError(query) ? `${query.position}: ${query.message}` : printQuery(query);
}

describe('a query', () => {
  it.each([
    ['*', '*:*'],
    ['*:*', '*:*'],
    ['  *  ', '*:*'],
    ['event.type:view', 'event.type:view'],
    ['type:view', 'event.type:view'],
    ['page.title:"a \\"b\\" \\\\ c"', 'page.title:"a \\"b\\" \\\\ c"'],
    ['page.url:https://a.example/b', 'page.url:https\\://a.example/b'],
    ['a:b\\ c\\*', 'a:b\\ c\\*'],
    ['a:\\u0041BC', 'a:ABC'],
    ['a:-5', 'a:\\-5'],
    ['a: b', 'a:b'],
    ['a:b\u3000c:d', 'a:b OR c:d'],
    ['a:abc*', 'a:abc*'],
    ['a:*', 'a:*'],
    ['a:[* TO *]', 'a:*'],
    ['ANDROID:x ORDER:y NOTE:z', 'ANDROID:x OR ORDER:y OR NOTE:z'],
  ])('%s is read as %s', (text, canonical) => {
    expect(read(text)).toBe(canonical);
  });

  it.each([
    ['a:1 b:2', 'a:1 OR b:2'],
    ['a:1 OR b:2 AND c:3', 'a:1 OR b:2 AND c:3'],
    ['a:1 AND b:2 OR c:3', 'a:1 AND b:2 OR c:3'],
    ['(a:1 OR b:2) AND c:3', '(a:1 OR b:2) AND c:3'],
    ['a:1 && !b:2 || c:3', 'a:1 AND NOT b:2 OR c:3'],
    ['a:1 b:2 AND c:3', 'a:1 OR b:2 AND c:3'],
    ['+a:1 b:2', 'a:1'],
    ['+a:1 +b:2 -c:3', 'a:1 AND b:2 AND NOT c:3'],
    ['a:1 b:2 -c:3', '(a:1 OR b:2) AND NOT c:3'],
    ['a:1 NOT b:2', 'a:1 AND NOT b:2'],
    ['-a:1', 'NOT a:1'],
    ['-a:1 -b:2', 'NOT a:1 AND NOT b:2'],
    ['a:1 OR -b:2', 'a:1 OR NOT b:2'],
    ['a:1 OR (-b:2)', 'a:1 OR NOT b:2'],
    ['* -a:1', '*:* AND NOT a:1'],
    ['NOT NOT a:1', 'NOT NOT a:1'],
    ['((a:1))', 'a:1'],
    ['(a:1)(b:2)', 'a:1 OR b:2'],
    ['- a:1', 'NOT a:1'],
  ])('%s binds as %s', (text, canonical) => {
    expect(read(text)).toBe(canonical);
  });

  it.each([
    ['a:(b OR c)', 'a:b OR a:c'],
    ['a:("b" OR "c d")', 'a:"b" OR a:"c d"'],
    ['a:(+b -c)', 'a:b AND NOT a:c'],
    ['a:(b AND (c OR NOT d))', 'a:b AND (a:c OR NOT a:d)'],
    ['type:(view OR click*)', 'event.type:view OR event.type:click*'],
    ['a:([1 TO 2] OR 5 OR *)', 'a:[1 TO 2] OR a:5 OR a:*'],
    ['a:(-5)', 'NOT a:5'],
  ])('the group %s is read as %s', (text, canonical) => {
    expect(read(text)).toBe(canonical);
  });
});

describe('a range', () => {
  it.each([
    ['a:[1 TO 2.5]', { by: 'point', includeMin: true, includeMax: true }, 1, 2.5],
    ['a:{1 TO 2}', { by: 'point', includeMin: false, includeMax: false }, 1, 2],
    ['a:[-2 TO *}', { by: 'point', includeMin: true, includeMax: true }, -2, undefined],
    ['a:["1" TO "2"}', { by: 'point', includeMin: true, includeMax: false }, 1, 2],
    [
      'a:[2026-11-21 TO 2026-11-21T17:00:00Z]',
      { by: 'point' },
      Date.UTC(2026, 10, 21),
      Date.UTC(2026, 10, 21, 17),
    ],
    ['a:[2026-11-21T01:00+01:00 TO *]', { by: 'point' }, Date.UTC(2026, 10, 21), undefined],
    ['a:[NOW-5MINUTES TO NOW]', { by: 'point' }, nowMs - 300_000, nowMs],
    [
      'a:[NOW-1DAY/HOUR TO NOW/DAY+1DAY]',
      { by: 'point' },
      Date.UTC(2026, 10, 20, 17),
      Date.UTC(2026, 10, 22),
    ],
    ['a:[2026-11-21T00:00:00Z-1MONTH TO *]', { by: 'point' }, Date.UTC(2026, 9, 21), undefined],
    ['a:[b TO c}', { by: 'text', includeMin: true, includeMax: false }, undefined, undefined],
    ['a:[1 TO c]', { by: 'text' }, 1, undefined],
    ['a:[NOWHERE TO *]', { by: 'text' }, undefined, undefined],
  ])('%s has these ends', (text, shape, min, max) => {
    const query = parseLucene(text, { nowMs });
    expect(query).toMatchObject({ kind: 'range', field: 'a', ...shape });
    expect(query).toHaveProperty('kind', 'range');
    if (query.kind === 'range') expect([query.min?.point, query.max?.point]).toEqual([min, max]);
  });
});

describe('a text that is no query', () => {
  it.each([
    ['', 0, 'a query is missing'],
    ['   ', 3, 'a query is missing'],
    ['foo', 0, 'no default field'],
    ['a:1 foo', 4, 'no default field'],
    ['"foo"', 0, 'no default field'],
    ['[1 TO 2]', 0, 'no default field'],
    [':x', 0, 'a field must stand before'],
    ['a*:x', 0, 'no wildcard'],
    ['*:x', 0, '* is no field'],
    ['a:', 2, 'a value for "a" is missing'],
    ['a:)', 2, 'a value for "a" is missing'],
    ['a:"x', 2, 'has no end'],
    ['a:\\', 2, 'needs a character'],
    ['a:\\u00g0', 2, 'four hexadecimal digits'],
    ['(a:1', 0, 'has no )'],
    ['a:(1', 2, 'has no )'],
    ['a:1)', 3, 'has no ('],
    [')', 0, 'has no ('],
    ['()', 1, 'nothing behind this ('],
    ['a:1 AND', 7, 'the text ends'],
    ['a:1 AND OR b:2', 8, 'OR needs a clause'],
    ['AND a:1', 0, 'AND needs a clause'],
    ['|| a:1', 0, '|| needs a clause'],
    ['a:AND', 2, 'is an operator'],
    ['NOT', 3, 'the text ends'],
    ['(a:1 OR )', 8, 'must stand before this )'],
    ['a:(b:c)', 3, 'belongs to one field'],
    ['a:/b.*/', 2, 'regular expressions'],
    ['/b/', 0, 'regular expressions'],
    ['a:b~', 3, 'fuzzy'],
    ['a:b~2', 3, 'fuzzy'],
    ['a:"b c"~3', 7, 'proximity'],
    ['a:b^2', 3, 'boosts'],
    ['a:"b"^2', 5, 'boosts'],
    ['(a:b)^2', 5, 'boosts'],
    ['a:[1 TO 2]^2', 10, 'boosts'],
    ['a:b*c', 3, 'at the end of a value'],
    ['a:*c', 2, 'at the end of a value'],
    ['a:**', 2, 'at the end of a value'],
    ['a:b?', 3, 'wildcard ?'],
    ['a:"b"*', 5, 'a prefix is written without quotes'],
    ['a:>5', 2, 'written as ranges'],
    ['a:[1 2]', 5, 'TO between'],
    ['a:[1 TO 2', 9, 'ends with ] or }'],
    ['a:[TO 2]', 3, 'either side of TO'],
    ['a:[ TO ]', 4, 'either side of TO'],
    ['a:[1 TO b*]', 8, 'no wildcards'],
    ['a:[5 TO 3]', 2, 'upside down'],
    ['a:[c TO b]', 2, 'upside down'],
    ['a:[NOW TO NOW-1DAY]', 2, 'upside down'],
    ['a:[NOW-5PARSECS TO *]', 3, 'date math'],
    ['a:[NOW/ TO *]', 3, 'date math'],
    ['a:[NOW+999999999YEARS TO *]', 3, 'no time that a date can hold'],
    ['a:[2026-11-21T17:00:00 TO *]', 3, 'needs its offset'],
    ['a:[2026-02-30 TO *]', 3, 'no such date'],
  ])('%s is refused at position %d: %s', (text, position, rule) => {
    const error = parseLucene(text, { nowMs });
    expect(error).toMatchObject({ kind: 'error', position });
    expect(read(text)).toContain(rule);
    expect(read(text)).toContain(`at position ${position}`);
  });

  it('is refused where NOW has no meaning', () => {
    expect(parseLucene('a:[NOW TO *]')).toMatchObject({ kind: 'error', position: 3 });
  });

  it('is refused if it names a field that there is not', () => {
    const fields = new Set(['event.type']);
    expect(parseLucene('type:view', { fields })).toMatchObject({ kind: 'term' });
    const error = parseLucene('type:view page.pth:x', { fields });
    expect(error).toMatchObject({ kind: 'error', position: 10 });
    expect(error).toHaveProperty('message', expect.stringContaining('there is no field "page.pth"'));
  });
});

describe('the limits', () => {
  const { termsMax, nestingMax, textBytesMax } = luceneLimits;

  it('let the largest query through and refuse one value more', () => {
    const terms = (count: number): string => `a:(${Array.from({ length: count }, (_, n) => n).join(' ')})`;
    expect(parseLucene(terms(termsMax))).toMatchObject({ kind: 'or' });
    expect(read(terms(termsMax + 1))).toContain('a query may have 1000 values');
  });

  it.each([
    ['parentheses', (depth: number) => `${'('.repeat(depth)}a:1${')'.repeat(depth)}`],
    ['NOTs', (depth: number) => `${'NOT '.repeat(depth)}a:1`],
    ['signs', (depth: number) => `${'+-'.repeat(depth / 2)}a:1`],
    ['groups of a field', (depth: number) => `a:${'('.repeat(depth)}1${')'.repeat(depth)}`],
  ])('let %s nest so deep and no deeper', (_name, nested) => {
    expect(isLuceneError(parseLucene(nested(nestingMax)))).toBe(false);
    expect(read(nested(nestingMax + 2))).toContain('nested 50 deep');
  });

  it('count the bytes of a text, not its characters', () => {
    const text = (value: string): string => `a:"${value}"`;
    expect(parseLucene(text('x'.repeat(textBytesMax - 4)))).toMatchObject({ kind: 'term' });
    expect(parseLucene(text('x'.repeat(textBytesMax - 3)))).toMatchObject({ kind: 'error', position: 0 });
    expect(parseLucene(text('ü'.repeat(textBytesMax / 2)))).toMatchObject({ kind: 'error', position: 0 });
  });
});
