/** The visitors of one key and segment as the collector holds them, read in short commands. */
import { readFileSync } from 'node:fs';
import { makeScript } from './connection.ts';
import { readIntsetDump } from './visitor-intset.ts';
import type { VisitorScripts } from './visitor-scripts.ts';

/** Offsets in the segment, a bitmap in Redis' order (offset 0 is the highest bit of byte 0), or nobody. */
export type SegmentValue =
  | { readonly kind: 'none' }
  | { readonly kind: 'list'; readonly members: Int32Array }
  | { readonly kind: 'bitmap'; readonly bytes: Uint8Array };

/** What a key holds: bytes of a bitmap, members of a set; both 0 when there is no key. */
export interface KeySize {
  readonly bytes: number;
  readonly members: number;
}

const fetchScript = makeScript(readFileSync(new URL('./visitor-fetch.lua', import.meta.url), 'utf8'));
const fetchBudgetUs = 900;
const listKeysMax = 256;
/** A bitmap has at most 128 KiB, of which MGET takes 13 us; GET in a script takes 190. */
const bitmapKeysMax = 64;

const none: SegmentValue = { kind: 'none' };

/**
 * Reads keys of one segment, in their order. Bitmaps are read by MGET, which says nothing of what is no string; sets by
 * a script. What the keys before mostly were is asked for first.
 */
export async function fetchValues(
  scripts: VisitorScripts,
  keys: readonly string[],
): Promise<readonly SegmentValue[]> {
  const values = new Array<SegmentValue | undefined>(keys.length).fill(undefined);
  const all = keys.map((_key, i) => i);
  if (scripts.expectLists)
    await readBitmaps(scripts, keys, await readLists(scripts, keys, all, values), values);
  else {
    await readBitmaps(scripts, keys, all, values);
    const others = all.filter((i) => values[i] === undefined);
    // A set that became a bitmap in between is read again.
    await readBitmaps(scripts, keys, await readLists(scripts, keys, others, values), values);
  }
  const lists = values.filter((value) => value?.kind === 'list').length;
  const bitmaps = values.filter((value) => value?.kind === 'bitmap').length;
  if (lists + bitmaps > 0) scripts.expectLists = lists > bitmaps;
  return values.map((value) => value ?? none);
}

async function readBitmaps(
  scripts: VisitorScripts,
  keys: readonly string[],
  wanted: readonly number[],
  values: (SegmentValue | undefined)[],
): Promise<void> {
  for (let at = 0; at < wanted.length; at += bitmapKeysMax) {
    const some = wanted.slice(at, at + bitmapKeysMax);
    const texts = await scripts.readStrings(some.map((i) => keys[i] as string));
    some.forEach((i, j) => {
      const bytes = texts[j];
      if (bytes !== null && bytes !== undefined) values[i] = { kind: 'bitmap', bytes };
    });
  }
}

/** @returns those that are bitmaps */
async function readLists(
  scripts: VisitorScripts,
  keys: readonly string[],
  wanted: readonly number[],
  values: (SegmentValue | undefined)[],
): Promise<number[]> {
  const bitmaps: number[] = [];
  for (let at = 0; at < wanted.length; ) {
    const names = wanted.slice(at, at + listKeysMax).map((i) => keys[i] as string);
    const reply = (await scripts.read(fetchScript, names, [String(fetchBudgetUs)])) as (number | Buffer)[];
    for (let i = 0; i < reply.length; i += 2) {
      const place = wanted[at++] as number;
      const kind = Number(reply[i]);
      const text = reply[i + 1] as Buffer;
      if (kind === 3) bitmaps.push(place);
      else if (kind === 0) values[place] = none;
      else values[place] = { kind: 'list', members: kind === 1 ? readIntsetDump(text) : readList(text) };
    }
  }
  return bitmaps;
}

const readList = (text: Buffer): Int32Array =>
  text.length === 0 ? new Int32Array(0) : Int32Array.from(text.toString('latin1').split(','), Number);

// A bitmap's bytes, a set's members as a negative number, 0 for a missing key.
const sizeScript = makeScript(`#!lua flags=no-writes
local sizes = {}
for i = 1, #KEYS do
  local kind = redis.call('TYPE', KEYS[i])['ok']
  if kind == 'none' then sizes[i] = 0
  elseif kind == 'set' then sizes[i] = -redis.call('SCARD', KEYS[i])
  else sizes[i] = redis.call('STRLEN', KEYS[i]) end
end
return sizes
`);
const sizeKeysMax = 700;

/** Sizes of keys of one segment. */
export async function readSizes(
  scripts: VisitorScripts,
  keys: readonly string[],
): Promise<readonly KeySize[]> {
  const sizes: KeySize[] = [];
  for (let at = 0; at < keys.length; at += sizeKeysMax) {
    const reply = (await scripts.read(sizeScript, keys.slice(at, at + sizeKeysMax), [])) as number[];
    for (const size of reply) sizes.push({ bytes: Math.max(size, 0), members: Math.max(-size, 0) });
  }
  return sizes;
}
