/**
 * Visitors of two crowds, written as the keys that commits would have left: 576 million events for one dense day would take
 * the collector hours. What is measured on them is reading.
 *
 *   month   a million visitors (two years of months, 330 days, 2 days of hours, a day of minutes as lists)
 *   ten     the same months for ten million, in ten segments
 *   sparse  a day of a million known visitors, 225 list members in each minute, four steps
 *   dense   100,000 visitors in every minute of a day, four steps, each rarer than the one before
 */
import { bucketName, type Granularity } from '../server/base/time-bucket.ts';
import type { PropertyName } from '../server/protocol/property.ts';
import type { RedisConnection } from '../server/store/connection.ts';
import { eventKeyName, PropertyKeys, segmentKey } from '../server/store/keys.ts';
import { deriveStream } from '../sim/random/random-stream.ts';

export const nowMs = Date.UTC(2026, 10, 21, 17, 30);
export const steps = ['view', 'cart', 'pay', 'heartbeat'] as const;

export interface Sizes {
  /** Visitors of the month, of each of the ten segments, and of the sparse day. */
  readonly visitors: number;
  readonly segments: number;
  readonly denseVisitors: number;
  readonly minutes: number;
}

export const fullSizes: Sizes = { visitors: 2 ** 20, segments: 10, denseVisitors: 100_000, minutes: 1440 };
export const smokeSizes: Sizes = { visitors: 2 ** 14, segments: 1, denseVisitors: 2000, minutes: 60 };

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;
const dayStartMs = Date.UTC(2026, 10, 20);
const random = deriveStream(20_261_121, 0);

export const crowdNames = ['month', 'ten', 'sparse', 'dense'] as const;
export type CrowdName = (typeof crowdNames)[number];
export const propertyOf = (property: CrowdName): PropertyName => ({ account: 'bench', property });

export class SampleWriter {
  readonly #connection: RedisConnection;
  readonly #sizes: Sizes;

  constructor(connection: RedisConnection, sizes: Sizes) {
    this.#connection = connection;
    this.#sizes = sizes;
  }

  async writeAll(): Promise<void> {
    await this.#writeMonth();
    await this.#writeTen();
    await this.#writeSparse();
    await this.#writeDense();
  }

  async #begin(crowd: CrowdName, visitors: number): Promise<PropertyKeys> {
    const keys = new PropertyKeys(propertyOf(crowd));
    await this.#connection.call('SET', [keys.ids, String(visitors)]);
    await this.#connection.call('SADD', [keys.registry, ...steps.map((step) => eventKeyName(step))]);
    return keys;
  }

  async #set(key: string, bits: Buffer): Promise<void> {
    await this.#connection.call('SET', [key, bits]);
  }

  async #writeMonth(): Promise<void> {
    const { visitors } = this.#sizes;
    const keys = await this.#begin('month', visitors);
    const write = (step: string, timeMs: number, granularity: Granularity, density: number) =>
      this.#set(keyOf(keys, step, timeMs, granularity), randomBits(visitors, density));
    for (const step of steps) {
      for (const year of [2025, 2026]) {
        await write(step, Date.UTC(year, 0), 'year', 1 / 2);
        for (let month = 0; month < 12; month++) await write(step, Date.UTC(year, month), 'month', 1 / 4);
      }
      for (let day = 0; day < (step === 'view' ? 330 : 70); day++)
        await write(step, nowMs - day * dayMs, 'day', 1 / 16);
    }
    for (let hour = 0; hour < 48; hour++) await write('view', nowMs - hour * hourMs, 'hour', 1 / 64);
    for (let minute = 0; minute < this.#sizes.minutes; minute++)
      await this.#list(keyOf(keys, 'view', nowMs - minute * minuteMs, 'minute'), someOf(visitors, 100));
  }

  async #writeTen(): Promise<void> {
    const { visitors, segments } = this.#sizes;
    const keys = await this.#begin('ten', segments * visitors);
    for (const step of steps)
      for (let segment = 0; segment < segments; segment++)
        await this.#set(
          segmentKey(keyOf(keys, step, Date.UTC(2026, 9), 'month'), segment),
          randomBits(visitors, 1 / 4),
        );
  }

  async #list(key: string, members: readonly number[]): Promise<void> {
    await this.#connection.call('SADD', [key, ...members.map(String)]);
  }

  async #writeSparse(): Promise<void> {
    const { visitors, minutes } = this.#sizes;
    const keys = await this.#begin('sparse', visitors);
    const coarse = new Map<string, Buffer>();
    for (let minute = 0; minute < minutes; minute++)
      for (const [k, step] of steps.entries()) {
        const timeMs = dayStartMs + minute * minuteMs;
        // Who is there today: one visitor of 34.
        const members = someOf(visitors / 34, [60, 20, 5, 140][k] ?? 0).map((member) => 34 * member);
        await this.#list(keyOf(keys, step, timeMs, 'minute'), members);
        for (const granularity of ['hour', 'day'] as const) {
          const key = keyOf(keys, step, timeMs, granularity);
          const bits = coarse.get(key) ?? Buffer.alloc(bytesOf(visitors));
          coarse.set(key, bits);
          for (const member of members) bits[member >> 3] = (bits[member >> 3] ?? 0) | (0x80 >> (member & 7));
        }
      }
    for (const [key, bits] of coarse) await this.#set(key, bits);
  }

  /** A visitor is there all day; the last step happens to a visitor in one minute of 4,096. */
  async #writeDense(): Promise<void> {
    const { denseVisitors, minutes } = this.#sizes;
    const keys = await this.#begin('dense', denseVisitors);
    const present = [1, 1 / 2, 1 / 4].map((density) => randomBits(denseVisitors, density));
    for (const [k, step] of steps.entries()) {
      const everyMinute = present[k];
      const hours = Array.from({ length: 24 }, () => Buffer.alloc(bytesOf(denseVisitors)));
      for (let minute = 0; minute < minutes; minute++) {
        const bits = everyMinute ?? randomBits(denseVisitors, 1 / 4096);
        await this.#set(keyOf(keys, step, dayStartMs + minute * minuteMs, 'minute'), bits);
        addBits(hours[Math.floor(minute / 60)] as Buffer, bits);
      }
      const day = Buffer.alloc(bytesOf(denseVisitors));
      for (const [hour, bits] of hours.entries()) {
        addBits(day, bits);
        await this.#set(keyOf(keys, step, dayStartMs + hour * hourMs, 'hour'), bits);
      }
      await this.#set(keyOf(keys, step, dayStartMs, 'day'), day);
    }
  }
}

export const keyOf = (keys: PropertyKeys, step: string, timeMs: number, granularity: Granularity): string =>
  keys.bucket(eventKeyName(step), bucketName(timeMs, granularity));

const bytesOf = (visitors: number): number => 2 ** Math.ceil(Math.log2(visitors / 8));

/** Each bit set with this probability, a power of a half: halves meet until it is reached. */
function randomBits(visitors: number, density: number): Buffer {
  const words = new Int32Array(bytesOf(visitors) / 4).fill(-1);
  for (let reached = 1; reached > density; reached /= 2)
    for (let i = 0; i < words.length; i++) words[i] = (words[i] as number) & random.uint32();
  const bits = Buffer.from(words.buffer);
  bits.fill(0, Math.ceil(visitors / 8));
  return bits;
}

const someOf = (visitors: number, count: number): number[] =>
  Array.from({ length: count }, () => random.int(Math.floor(visitors)));

function addBits(target: Buffer, bits: Buffer): void {
  for (let i = 0; i < target.length; i++) target[i] = (target[i] as number) | (bits[i] as number);
}
