/**
 * The arguments of the commit script on the wire. Texts go as arguments of their own, numbers as one packed
 * little-endian argument that names texts by position: unpacking costs the script 0.03 us a number (measured
 * on Redis 7.0.15), an argument of its own would be an object, a Lua string and a conversion.
 *
 *   ARGV[1..5]   replication id, generation, generation for a new property, today's number (days since 1970),
 *                seconds a home lives; then other texts
 *   numbers      header    events, beats, light sessions (touched today; beats included), sessions (all of them), days,
 *                          unknown, bitmaps, types, names, first name, event ids: u16; segment of ordinals, seconds
 *                          a set of event ids lives: u32
 *                day       text, seconds to live (a text, 0 = for ever): u16
 *                beat      tab, event: u16, number: u32, time: f64. One heartbeat of a session known to be there
 *                session   day, escaped id: u16, unless it is light; fields, tabs: u16; 1 with views: u8
 *                  views   time: f64 and path: u16 of the first, of the last
 *                  field   name, value: u16, 1 to overwrite: u8
 *                  tab     text, events, views, heartbeats: u16, first and last time: f64, numbers: u16, then
 *                          event: u16 and number: u32 for each
 *                event id  event: u16, 16 bytes
 *                unknown   segment, length: u16, bytes
 *                bitmap    seconds to live: u32, members before it is a bitmap, known, first text: u16,
 *                          highest known offset: u32, unknown: u16, then the number of each unknown visitor: u16
 *                type      text, events: u16
 *   chunk        the documents
 *
 * Events, sessions and texts count from 1; 0 is "none". Times are epoch ms. Example: one heartbeat, number 17 of tab "t1" of a
 * session seen before today, its minute's bit already set:
 *   KEYS     6 + info, the day's index
 *   texts    the five, "2026-11-21", "7780000", "w:t1", "type:heartbeat"
 *   numbers  30 (header) + 4 (day) + 16 (beat) + 4 (type) = 54 bytes
 */
import type { EncodedArguments } from './connection.ts';

/** A bulk string in RESP: `$4\r\nabcd\r\n`. */
export const bulk = (text: string): string => `$${Buffer.byteLength(text)}\r\n${text}\r\n`;

export class CommitRequest {
  #keys = '';
  #keyCount = 0;
  #texts = '';
  #textCount = 0;
  readonly #positions = new Map<string, number>();
  #numbers = Buffer.allocUnsafe(4096);
  #length = 0;

  key(name: string): void {
    this.#keys += bulk(name);
    this.#keyCount++;
  }

  /** A key already in RESP form, as a cache keeps it. */
  keyBulk(encoded: string): void {
    this.#keys += encoded;
    this.#keyCount++;
  }

  /** Adds a text and gives its position, from 1. */
  text(value: string): number {
    this.#texts += bulk(value);
    return ++this.#textCount;
  }

  /** The same, but a text that is already there is not added again. */
  sharedText(value: string): number {
    const known = this.#positions.get(value);
    if (known !== undefined) return known;
    const position = this.text(value);
    this.#positions.set(value, position);
    return position;
  }

  u8(value: number): void {
    this.#reserve(1);
    this.#numbers[this.#length++] = value;
  }

  u16(value: number): void {
    this.#reserve(2);
    const numbers = this.#numbers;
    numbers[this.#length++] = value;
    numbers[this.#length++] = value >>> 8;
  }

  u32(value: number): void {
    this.u16(value & 0xffff);
    this.u16(value >>> 16);
  }

  f64(value: number): void {
    this.#reserve(8);
    this.#numbers.writeDoubleLE(value, this.#length);
    this.#length += 8;
  }

  bytes(value: Buffer): void {
    this.#reserve(value.length);
    value.copy(this.#numbers, this.#length);
    this.#length += value.length;
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes <= this.#numbers.length) return;
    const grown = Buffer.allocUnsafe(2 * (this.#numbers.length + bytes));
    this.#numbers.copy(grown, 0, 0, this.#length);
    this.#numbers = grown;
  }

  encode(chunk: Buffer): EncodedArguments {
    const head = `${bulk(String(this.#keyCount))}${this.#keys}${this.#texts}$${this.#length}\r\n`;
    const bytes = Buffer.concat([
      Buffer.from(head),
      this.#numbers.subarray(0, this.#length),
      Buffer.from(`\r\n$${chunk.length}\r\n`),
      chunk,
      Buffer.from('\r\n'),
    ]);
    return { count: 1 + this.#keyCount + this.#textCount + 2, bytes };
  }
}
