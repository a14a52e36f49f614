/** Reads a query's text from left to right, never back; so time grows with the text and nothing else. */
import { type LuceneError, luceneLimits } from './query.ts';

/** Thrown and caught inside this folder only: the way out of nested calls. Parsers return its `error`. */
export class SyntaxFault extends Error {
  readonly error: LuceneError;

  constructor(error: LuceneError) {
    super(error.message);
    this.error = error;
  }
}

export interface Word {
  /** Without escapes and without a star at its end. */
  readonly text: string;
  readonly start: number;
  /** It ended with a `*` that was not escaped. */
  readonly starred: boolean;
}

/** Ends every word. Lucene's white space has U+3000 in it, the wide space of Chinese and Japanese. */
const wordEnd = new Set(' \t\n\r\f\v\u3000()[]{}"');

const isSpace = (character: string | undefined): boolean =>
  character !== undefined && ' \t\n\r\f\v\u3000'.includes(character);

const refusedInWords: Readonly<Record<string, string>> = {
  '~': 'fuzzy and proximity search (~) is not supported; put a ~ that is part of the value in quotes',
  '^': 'boosts (^) are not supported, as nothing is scored; put a ^ that is part of the value in quotes',
  '?': 'the wildcard ? is not supported; put a ? that is part of the value in quotes',
};

const starRule =
  'a * may only stand at the end of a value, as in field:abc*; put a * that is part of the value in quotes';

export class Scanner {
  readonly text: string;
  at = 0;

  constructor(text: string) {
    this.text = text;
  }

  peek(ahead = 0): string | undefined {
    return this.text[this.at + ahead];
  }

  skipSpace(): void {
    while (isSpace(this.peek())) this.at += 1;
  }

  /** Steps over the text if it stands here. */
  take(expected: string): boolean {
    if (!this.text.startsWith(expected, this.at)) return false;
    this.at += expected.length;
    return true;
  }

  /** `AND`, `OR`, `NOT` or `TO`, standing alone, is here. */
  isKeyword(keyword: string): boolean {
    if (!this.text.startsWith(keyword, this.at)) return false;
    const next = this.text[this.at + keyword.length];
    return next === undefined || wordEnd.has(next);
  }

  takeKeyword(keyword: string): boolean {
    return this.isKeyword(keyword) && this.take(keyword);
  }

  /** @param stops characters that end this word beside those that end all; they stay unread */
  word(stops = ''): Word {
    const start = this.at;
    let text = '';
    for (let next = this.peek(); next !== undefined; next = this.peek()) {
      if (wordEnd.has(next) || stops.includes(next)) break;
      const refused = refusedInWords[next];
      if (refused !== undefined) this.fail(refused);
      if (next === '*') return this.starAtEnd(text, start, stops);
      text += next === '\\' ? this.escape() : next;
      if (next !== '\\') this.at += 1;
    }
    return { text, start, starred: false };
  }

  /** The text between the quote that stands here and the next. */
  quoted(): string {
    const start = this.at;
    this.at += 1;
    let text = '';
    for (let next = this.peek(); next !== undefined; next = this.peek()) {
      if (next === '\\') {
        text += this.escape();
        continue;
      }
      this.at += 1;
      if (next === '"') return text;
      text += next;
    }
    return this.fail('the quote that begins here has no end', start);
  }

  fail(rule: string, position = this.at): never {
    throw new SyntaxFault(errorAt(this.text, position, rule));
  }

  starAtEnd(text: string, start: number, stops: string): Word {
    const star = this.at;
    this.at += 1;
    const next = this.peek();
    if (next !== undefined && !wordEnd.has(next) && !stops.includes(next)) {
      const refused = refusedInWords[next];
      this.fail(refused ?? starRule, refused === undefined ? star : this.at);
    }
    return { text, start, starred: true };
  }

  /** What the backslash that stands here stands for, with what follows it. */
  escape(): string {
    const start = this.at;
    this.at += 1;
    const next = this.peek();
    if (next === undefined) return this.fail('a \\ needs a character behind it', start);
    this.at += 1;
    if (next !== 'u') return next;
    const code = this.text.slice(this.at, this.at + 4);
    if (!/^[0-9a-fA-F]{4}$/.test(code))
      return this.fail('\\u needs four hexadecimal digits behind it', start);
    this.at += 4;
    return String.fromCharCode(Number.parseInt(code, 16));
  }
}

export function errorAt(text: string, position: number, rule: string): LuceneError {
  const here = text.slice(position, position + 20);
  const where = here === '' ? 'the end of the text' : JSON.stringify(here);
  return { kind: 'error', message: `at position ${position}, ${where}: ${rule}`, position };
}

/** Runs a parser; a fault that it threw becomes the value that it returns. */
export function catchFault<T>(text: string, parse: (scanner: Scanner) => T): T | LuceneError {
  const bytes = Buffer.byteLength(text);
  if (bytes > luceneLimits.textBytesMax) {
    const rule = `a text may have ${luceneLimits.textBytesMax} bytes, and this one has ${bytes}`;
    return { kind: 'error', message: rule, position: 0 };
  }
  try {
    return parse(new Scanner(text));
  } catch (thrown) {
    if (thrown instanceof SyntaxFault) return thrown.error;
    throw thrown;
  }
}
