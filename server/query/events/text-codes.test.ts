import { describe, expect, it } from 'vitest';
import { DictionaryBuilder } from './column-dictionary.ts';
import { hashOfText, TextCodes } from './text-codes.ts';

const hashed = (text: string): number => hashOfText(text) ?? 0;

/** A table with these texts, all of one hash if one is given, and those that found no room. */
function table(texts: readonly string[], hash?: number): { codes: TextCodes; rejected: number[] } {
  const codes = new TextCodes(texts);
  const rejected: number[] = [];
  for (const [i, text] of texts.entries())
    codes.add(i + 1, hash ?? hashed(text), (code) => rejected.push(code));
  return { codes, rejected };
}

const many = Array.from({ length: 5000 }, (_none, i) => `text ${i * 7919}`);

describe('codes of texts', () => {
  it('are found by the text and by its bytes, within others', () => {
    const { codes, rejected } = table(many);
    expect(rejected).toEqual([]);
    for (const [i, text] of many.entries()) {
      expect(codes.ofText(text, hashed(text))).toBe(i + 1);
      expect(codes.ofBytes(Buffer.from(`"${text}"`), 1, 1 + text.length, hashed(text))).toBe(i + 1);
    }
    expect(codes.ofText('text', hashed('text'))).toBe(0);
    expect(codes.ofBytes(Buffer.from('text 0x'), 0, 7, hashed('text 0'))).toBe(0);
  });

  it('of texts that collide are given up after a few, and told', () => {
    const { codes, rejected } = table(many.slice(0, 100), 7);
    expect(rejected.length).toBeGreaterThanOrEqual(68);
    const kept = many.slice(0, 100).filter((_text, i) => !rejected.includes(i + 1));
    for (const text of kept) expect(codes.ofText(text, 7)).toBe(many.indexOf(text) + 1);
  });

  it('are of ASCII only', () => {
    expect(hashOfText('\u007f')).toBeTypeOf('number');
    expect(hashOfText('\u0080')).toBeUndefined();
    expect(hashOfText('')).toBeTypeOf('number');
  });
});

describe('a dictionary', () => {
  it('counts a text once, whether it comes as text or as bytes', () => {
    const dictionary = new DictionaryBuilder();
    const bytes = Buffer.from('abc');
    expect(dictionary.addAscii(0, bytes, 0, 3, hashed('abc'))).toBe(false);
    dictionary.add(0, 'abc');
    dictionary.add(1, 'ü');
    expect(dictionary.addAscii(2, bytes, 0, 3, hashed('abc'))).toBe(true);
    dictionary.add(2, 7);
    dictionary.add(3, '7');
    const { values, codes, more } = dictionary.column(4, true);
    expect(values).toEqual(['abc', 'ü', 7, '7']);
    expect([...codes]).toEqual([1, 2, 1, 4]);
    expect([...more]).toEqual([[2, [3]]]);
  });
});
