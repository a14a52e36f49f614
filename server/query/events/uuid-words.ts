/** A canonical uuid (small letters, RFC 9562) as four big-endian words, and back. */

const dashes: readonly number[] = [8, 13, 18, 23];
const uuidLength = 36;
const wordBits = 32;
const digitsPerWord = 8;

export const uuidWords = 4;

const hexValue = new Int8Array(128).fill(-1);
for (const [value, digit] of [...'0123456789abcdef'].entries()) hexValue[digit.charCodeAt(0)] = value;

/** Writes the words at `at`. False, with anything in their place, if it is no canonical uuid or the nil one. */
export function writeUuid(text: string, words: Uint32Array, at: number): boolean {
  if (text.length !== uuidLength) return false;
  let word = 0;
  let digits = 0;
  let any = 0;
  for (let i = 0; i < uuidLength; i++) {
    const code = text.charCodeAt(i);
    if (i === 8 || i === 13 || i === 18 || i === 23) {
      if (code !== 0x2d) return false;
      continue;
    }
    const value = code < 128 ? (hexValue[code] as number) : -1;
    if (value < 0) return false;
    word = (word << 4) | value;
    if (++digits % digitsPerWord !== 0) continue;
    words[at + digits / digitsPerWord - 1] = word;
    any |= word;
    word = 0;
  }
  return any !== 0;
}

/** The same of ASCII bytes, to the first four words. */
export function readUuidBytes(bytes: Uint8Array, from: number, to: number, words: Uint32Array): boolean {
  if (to - from !== uuidLength) return false;
  let word = 0;
  let digits = 0;
  let any = 0;
  for (let i = 0; i < uuidLength; i++) {
    const code = bytes[from + i] as number;
    if (i === 8 || i === 13 || i === 18 || i === 23) {
      if (code !== 0x2d) return false;
      continue;
    }
    const value = hexValue[code & 0x7f] as number;
    if (value < 0 || code > 0x7f) return false;
    word = (word << 4) | value;
    if ((++digits & 7) !== 0) continue;
    words[(digits >> 3) - 1] = word;
    any |= word;
    word = 0;
  }
  return any !== 0;
}

/** The text of the words at `at`; undefined if they are all 0. */
export function readUuid(words: Uint32Array, at: number): string | undefined {
  let hex = '';
  for (let i = 0; i < uuidWords; i++)
    hex += (words[at + i] as number).toString(16).padStart(wordBits / 4, '0');
  if (hex === '0'.repeat(uuidWords * digitsPerWord)) return undefined;
  let text = '';
  let from = 0;
  for (const [done, dash] of dashes.entries()) {
    text += `${hex.slice(from, dash - done)}-`;
    from = dash - done;
  }
  return text + hex.slice(from);
}
