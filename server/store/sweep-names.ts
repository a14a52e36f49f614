/**
 * The registry of a property lists the names that have bitmaps and the days that have sessions. When the last key of
 * a name has expired the name is taken out, so that a list of all names is one of names that mean something.
 *
 * Collectors remember which names they registered. So that none of them takes a name for registered that has just
 * gone, the property gets a new generation with it: they forget what they know and send the name again with the
 * next event. The look at the keys, the removal and the new generation are one script.
 */
import { randomBytes } from 'node:crypto';
import { bucketEndMs, bucketName, type Granularity, granularities } from '../base/time-bucket.ts';
import { limits } from '../protocol/limits.ts';
import type { RedisConnection } from './connection.ts';
import { type PropertyKeys, segmentKey, visitorSegmentBits } from './keys.ts';
import { expiryJitterMsMax, type Retention } from './retention.ts';

const dayPrefix = 'day:';
const scanCount = 500;
/** Names that could die at a time, and the keys that are looked at for them: 1 ms of Redis. */
const namesMax = 500;
const keysMax = 4000;

/**
 * KEYS generation, registry, the keys of all names one after the other; ARGV the generation that was seen, the next
 * one, then each name with the number of its keys. Returns the names that went.
 */
const forgetScript = `#!lua flags=allow-oom
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return {} end
local gone, at = {}, 3
for i = 3, #ARGV, 2 do
  local isThere = false
  for _ = 1, tonumber(ARGV[i + 1]) do
    isThere = isThere or redis.call('EXISTS', KEYS[at]) == 1
    at = at + 1
  end
  if not isThere and redis.call('SREM', KEYS[2], ARGV[i]) == 1 then gone[#gone + 1] = ARGV[i] end
end
if #gone > 0 then redis.call('SET', KEYS[1], ARGV[2]) end
return gone
`;

/**
 * Takes names without any key out of the registry, a bounded number of them. Resolves with how many.
 * @param generation as it was read when the sweep began
 */
export async function forgetDeadNames(
  connection: RedisConnection,
  keys: PropertyKeys,
  generation: string,
  retention: Retention,
  nowMs: number,
): Promise<number> {
  const buckets = mayBeAlive(retention, nowMs);
  const visitors = Number((await connection.call('GET', [keys.ids])) ?? 0);
  const segments = Math.ceil(visitors / 2 ** visitorSegmentBits);
  const keysOf = (name: string): string[] | undefined => {
    if (name.startsWith(dayPrefix)) return [keys.sessionIndex(name.slice(dayPrefix.length))];
    return buckets?.flatMap((bucket) =>
      Array.from({ length: segments }, (_none, k) => segmentKey(keys.bucket(name, bucket), k)),
    );
  };
  const dead = await namesWithoutKeys(connection, keys, keysOf);
  if (dead.length === 0) return 0;
  const allKeys = dead.flatMap(({ own }) => own);
  const counts = dead.flatMap(({ name, own }) => [name, String(own.length)]);
  const next = randomBytes(8).toString('hex');
  const scriptKeys = [keys.generation, keys.registry, ...allKeys];
  const args = [forgetScript, String(scriptKeys.length), ...scriptKeys, generation, next, ...counts];
  return ((await connection.call('EVAL', args)) as string[]).length;
}

interface DeadName {
  readonly name: string;
  readonly own: readonly string[];
}

/** A first look that writes nothing: nearly all names are alive. */
async function namesWithoutKeys(
  connection: RedisConnection,
  keys: PropertyKeys,
  keysOf: (name: string) => string[] | undefined,
): Promise<DeadName[]> {
  const dead: DeadName[] = [];
  let looked = 0;
  let cursor = '0';
  do {
    const args = [keys.registry, cursor, 'COUNT', String(scanCount)];
    const [next, names] = (await connection.call('SSCAN', args)) as [string, string[]];
    cursor = next;
    for (const name of names) {
      const own = keysOf(name);
      if (own === undefined || own.length === 0 || dead.length === namesMax) continue;
      if (looked + own.length > keysMax || dead.some((known) => known.name === name)) continue;
      if (Number(await connection.call('EXISTS', own)) > 0) continue;
      looked += own.length;
      dead.push({ name, own });
    }
  } while (cursor !== '0');
  return dead;
}

/**
 * Names of all buckets that a living name must have at least one of; undefined if some granularity is kept for ever,
 * and a name with it, or if they are too many to look at.
 *
 * An event sets a bit in one bucket of each granularity. Where a coarser one is kept at least as long, it ends later
 * and so is there whenever the finer one is; in the usual case only the years are left.
 */
export function mayBeAlive(retention: Retention, nowMs: number): string[] | undefined {
  const names: string[] = [];
  for (const [at, granularity] of granularities.entries()) {
    const keptMs = retention[granularity];
    if (keptMs === undefined) return undefined;
    const coarser = granularities.slice(at + 1);
    if (coarser.some((other) => (retention[other] ?? Number.POSITIVE_INFINITY) >= keptMs)) continue;
    const fromMs = nowMs - keptMs - expiryJitterMsMax;
    for (const name of bucketsBetween(fromMs, nowMs + limits.eventAheadMsMax, granularity)) {
      names.push(name);
      if (names.length > keysMax) return undefined;
    }
  }
  return names;
}

function* bucketsBetween(fromMs: number, toMs: number, granularity: Granularity): Generator<string> {
  for (let timeMs = fromMs; ; timeMs = bucketEndMs(timeMs, granularity)) {
    yield bucketName(timeMs, granularity);
    if (bucketEndMs(timeMs, granularity) > toMs) return;
  }
}
