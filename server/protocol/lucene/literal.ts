/** What the text of a value stands for, on the question's side and on the document's. */
import { readDateMath } from './date-math.ts';
import { parseInstant } from './instant.ts';
import type { Literal } from './query.ts';

/** No digit can be taken in two ways: with `\d+\.?\d*` many digits and no number cost time squared. */
const numberPattern = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,4})?$/;

/** A decimal number; undefined if the text is none, or too large for a double. */
export function parseNumber(text: string): number | undefined {
  if (!numberPattern.test(text)) return undefined;
  const number = Number(text);
  // Adding 0 turns -0 into 0, so that equal numbers are the same number.
  return Number.isFinite(number) ? number + 0 : undefined;
}

/** @param nowMs epoch ms of NOW; undefined makes NOW a mere text */
export function literalOf(text: string, quoted: boolean, nowMs: number | undefined): Literal {
  const instant = parseNumber(text) ?? readDateMath(text, nowMs);
  return { text, point: typeof instant === 'number' ? instant : undefined, quoted };
}

/** The text by which a document's value is found: texts are themselves; true and false are words; numbers have none. */
export function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  return typeof value === 'boolean' ? String(value) : undefined;
}

/** The point of a document's value: a number is itself (epoch ms if it is a time), a date its epoch ms. */
export function pointOf(value: unknown): number | undefined {
  if (typeof value === 'number') return value;
  return typeof value === 'string' ? parseInstant(value) : undefined;
}
