/** What stands behind `field:`: a word, a prefix, a quoted text, a star or a range. */
import { readDateMath } from './date-math.ts';
import { dateFault } from './instant.ts';
import { literalOf } from './literal.ts';
import { type Literal, luceneLimits, type Query } from './query.ts';
import type { Scanner } from './scanner.ts';
import { compareText } from './text-order.ts';

/** What the values of one query share. */
export interface ValueContext {
  readonly nowMs: number | undefined;
  /** Values read so far. */
  terms: number;
}

const quoteHint = 'put the value in quotes';

/** @param inGroup the value stands in `field:( … )`, where a colon would begin another field */
export function parseValue(scanner: Scanner, field: string, context: ValueContext, inGroup: boolean): Query {
  countTerm(scanner, context);
  const next = scanner.peek();
  if (next === undefined || next === ')' || next === ']' || next === '}') {
    scanner.fail(`a value for ${JSON.stringify(field.slice(0, 80))} is missing`);
  }
  if (next === '[' || next === '{') return parseRange(scanner, field, context);
  if (next === '"') return quotedTerm(scanner, field, context);
  if (next === '/')
    scanner.fail(`regular expressions are not supported; if the value begins with /, ${quoteHint}`);
  if (next === '<' || next === '>') {
    scanner.fail(
      `comparisons are written as ranges, as in ${field.slice(0, 80)}:{5 TO *]; if it is a text, ${quoteHint}`,
    );
  }
  return wordTerm(scanner, field, context, inGroup);
}

function countTerm(scanner: Scanner, context: ValueContext): void {
  context.terms += 1;
  if (context.terms <= luceneLimits.termsMax) return;
  scanner.fail(`a query may have ${luceneLimits.termsMax} values, and this is one more`);
}

function quotedTerm(scanner: Scanner, field: string, context: ValueContext): Query {
  const text = scanner.quoted();
  const next = scanner.peek();
  if (next === '~') scanner.fail('proximity search (~) is not supported');
  if (next === '^') scanner.fail('boosts (^) are not supported, as nothing is scored');
  if (next === '*') scanner.fail('a prefix is written without quotes, with a \\ before special characters');
  return { kind: 'term', field, value: literalOf(text, true, context.nowMs) };
}

function wordTerm(scanner: Scanner, field: string, context: ValueContext, inGroup: boolean): Query {
  const { text, start, starred } = scanner.word(inGroup ? ':' : '');
  if (inGroup && scanner.peek() === ':') {
    scanner.fail(
      `a group belongs to one field, ${JSON.stringify(field.slice(0, 80))}; if this is a value, ${quoteHint}`,
      start,
    );
  }
  if (starred) return text === '' ? { kind: 'exists', field } : { kind: 'prefix', field, prefix: text };
  const isBare = scanner.at - start === text.length;
  if (isBare && (text === 'AND' || text === 'OR' || text === 'NOT')) {
    scanner.fail(`${text} is an operator; to look for it, ${quoteHint}`, start);
  }
  return { kind: 'term', field, value: literalOf(text, false, context.nowMs) };
}

function parseRange(scanner: Scanner, field: string, context: ValueContext): Query {
  const start = scanner.at;
  const includeMin = scanner.take('[') || !scanner.take('{');
  const min = parseEnd(scanner, context);
  scanner.skipSpace();
  if (!scanner.takeKeyword('TO')) scanner.fail('a range is written [from TO to], with TO between its ends');
  const max = parseEnd(scanner, context);
  scanner.skipSpace();
  const includeMax = scanner.take(']');
  if (!includeMax && !scanner.take('}')) scanner.fail('a range ends with ] or }');
  if (scanner.peek() === '^') scanner.fail('boosts (^) are not supported, as nothing is scored');
  if (min === undefined && max === undefined) return { kind: 'exists', field };
  const by = [min, max].every((end) => end === undefined || end.point !== undefined) ? 'point' : 'text';
  if (min !== undefined && max !== undefined && isUpsideDown(by, min, max)) {
    scanner.fail(`this range is upside down: ${shown(min)} is above ${shown(max)}`, start);
  }
  // An open end has nothing to leave out; one tree for one meaning.
  return {
    kind: 'range',
    field,
    by,
    min,
    max,
    includeMin: includeMin || min === undefined,
    includeMax: includeMax || max === undefined,
  };
}

const shown = ({ text }: Literal): string => JSON.stringify(text.slice(0, 40));

function isUpsideDown(by: 'point' | 'text', min: Literal, max: Literal): boolean {
  return by === 'point' ? (min.point ?? 0) > (max.point ?? 0) : compareText(min.text, max.text) > 0;
}

/** One end of a range; undefined if it is a star. */
function parseEnd(scanner: Scanner, context: ValueContext): Literal | undefined {
  scanner.skipSpace();
  if (scanner.peek() === '"') return literalOf(scanner.quoted(), true, context.nowMs);
  if (scanner.isKeyword('TO')) scanner.fail('a range needs an end on either side of TO; * leaves it open');
  const { text, start, starred } = scanner.word();
  if (starred && text === '') return undefined;
  if (starred) scanner.fail('the ends of a range take no wildcards', start);
  if (text === '') scanner.fail('a range is written [from TO to]; * leaves an end open');
  const math = readDateMath(text, context.nowMs);
  const fault = typeof math === 'string' ? math : dateFault(text);
  if (fault !== undefined) scanner.fail(fault, start);
  return literalOf(text, false, context.nowMs);
}
