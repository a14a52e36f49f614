/** How many visitors did something in a time bucket: exact, over all segments. */
import type { TimeBucket } from '../base/time-bucket.ts';
import type { PropertyName } from '../protocol/property.ts';
import type { CountReply } from '../protocol/replies.ts';
import { makeScript, type RedisConnection } from './connection.ts';
import { eventKeyName, PropertyKeys, segmentKey, sourceKeyName, visitorSegmentBits } from './keys.ts';
import { bucketExpiryMs, type Retention } from './retention.ts';

/** An event type, or a source with its campaign; without campaign: the events that named none. Of people or of bots. */
export type Counted =
  | { readonly event: string; readonly isBot?: boolean | undefined }
  | { readonly source: string; readonly campaign?: string | undefined; readonly isBot?: boolean | undefined };

// One script, so that no set turns into a bitmap between the look at its type and the count.
const countScript = makeScript(`#!lua flags=no-writes
local total = 0
for i = 1, #KEYS do
  local kind = redis.call('TYPE', KEYS[i])['ok']
  if kind == 'set' then
    total = total + redis.call('SCARD', KEYS[i])
  elseif kind ~= 'none' then
    total = total + redis.call('BITCOUNT', KEYS[i])
  end
end
return total
`);

/** Distinct visitors of one bucket; `expired` when its retention is over at `nowMs` (epoch ms). */
export async function countBucket(
  connection: RedisConnection,
  property: PropertyName,
  what: Counted,
  bucket: TimeBucket,
  nowMs: number,
  retention: Retention,
): Promise<CountReply> {
  if (nowMs >= bucketExpiryMs(bucket.startMs, bucket.granularity, retention)) return { expired: true };
  const keys = new PropertyKeys(property);
  const keyName =
    'event' in what
      ? eventKeyName(what.event, what.isBot)
      : sourceKeyName(what.source, what.campaign, what.isBot);
  return { count: await countSegments(connection, keys, keys.bucket(keyName, bucket.name)) };
}

/** People that were ever seen, bots left out: what NOT is taken from. */
export async function countKnownVisitors(
  connection: RedisConnection,
  property: PropertyName,
): Promise<number> {
  const keys = new PropertyKeys(property);
  return countSegments(connection, keys, keys.all);
}

async function countSegments(
  connection: RedisConnection,
  keys: PropertyKeys,
  segmentZeroKey: string,
): Promise<number> {
  const visitors = Number((await connection.call('GET', [keys.ids])) ?? 0);
  const segments = Math.ceil(visitors / 2 ** visitorSegmentBits);
  if (segments === 0) return 0;
  const names = Array.from({ length: segments }, (_none, segment) => segmentKey(segmentZeroKey, segment));
  return Number(await connection.readScript(countScript, names, []));
}
