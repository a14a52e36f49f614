/** The visitors of one key and segment as the collector holds them, read in short scripts. */
import { readFileSync } from 'node:fs';
import { makeScript } from './connection.ts';
import type { VisitorScripts } from './visitor-scripts.ts';

/** Offsets in the segment, a bitmap in Redis' order (offset 0 is the highest bit of byte 0), or nobody. */
export type SegmentValue =
  | { readonly kind: 'none' }
  | { readonly kind: 'list'; readonly members: readonly number[] }
  | { readonly kind: 'bitmap'; readonly bytes: Uint8Array };

/** What a key holds: bytes of a bitmap, members of a set; both 0 when there is no key. */
export interface KeySize {
  readonly bytes: number;
  readonly members: number;
}

const fetchScript = makeScript(readFileSync(new URL('./visitor-fetch.lua', import.meta.url), 'utf8'));
const fetchBudgetUs = 1000;
const fetchKeysMax = 256;

/** Reads keys of one segment, in their order. */
export async function fetchValues(
  scripts: VisitorScripts,
  keys: readonly string[],
): Promise<readonly SegmentValue[]> {
  const values: SegmentValue[] = [];
  while (values.length < keys.length) {
    const asked = keys.slice(values.length, values.length + fetchKeysMax);
    const reply = (await scripts.read(fetchScript, asked, [String(fetchBudgetUs)])) as (number | Buffer)[];
    for (let i = 0; i < reply.length; i += 2)
      values.push(readValue(Number(reply[i]), reply[i + 1] as Buffer));
  }
  return values;
}

function readValue(kind: number, text: Buffer): SegmentValue {
  if (kind === 0) return { kind: 'none' };
  return kind === 1 ? { kind: 'list', members: readList(text) } : { kind: 'bitmap', bytes: text };
}

const comma = 0x2c;

function readList(text: Buffer): number[] {
  const members: number[] = [];
  let member = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text[i] as number;
    if (code === comma) {
      members.push(member);
      member = 0;
    } else member = member * 10 + code - 0x30;
  }
  members.push(member);
  return members;
}

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
