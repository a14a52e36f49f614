/**
 * The writing side of sealing a segment (query/events/segment-sealing.ts says what is written).
 *
 *   unsealed --lease taken, leftovers unlinked--> staging --all written--> switched
 *   docs, dir                                     docs, dir, part of       cols, pages, meta, entry in P::sealed;
 *                                                 cols and pages           docs and dir unlinked
 *
 * Every step is one script, and each first looks whether the lease is still its holder's, the property the one
 * whose documents were read, and the documents still there. So nothing is written into a property that was deleted,
 * a sealer that was thought dead can't spoil another's work, and one that dies leaves keys that nobody reads and
 * the next one removes. Until the switch readers see the documents, after it the columns; never both, never neither.
 */
import type { RedisConnection } from './connection.ts';
import type { PropertyKeys } from './keys.ts';
import { formatSealedEntry, type SealedEntry, type SegmentMeta, sealedVersionField } from './segment-meta.ts';

/** Who seals which segment of which data. */
export interface SealTicket {
  readonly connection: RedisConnection;
  readonly keys: PropertyKeys;
  readonly generation: string;
  readonly number: number;
  /** Of the lease; becomes the segment's. */
  readonly token: string;
  /** How long the lease outlives the last step. */
  readonly leaseMs: number;
}

/** KEYS lease, generation; ARGV token, generation, milliseconds. */
const takeScript = `#!lua
if redis.call('GET', KEYS[2]) ~= ARGV[2] then return 0 end
return redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[3]) and 1 or 0
`;

const releaseScript = `#!lua flags=allow-oom
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('UNLINK', KEYS[1])
`;

/** KEYS lease, generation, docs, …; ARGV token, generation, milliseconds, … */
const guard = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] or redis.call('GET', KEYS[2]) ~= ARGV[2] then return 0 end
if redis.call('EXISTS', KEYS[3]) == 0 then return 0 end
redis.call('PEXPIRE', KEYS[1], ARGV[3])
`;

/** Further KEYS: cols, pages, meta. */
const beginScript = `#!lua flags=allow-oom
${guard}
redis.call('UNLINK', KEYS[4], KEYS[5], KEYS[6])
return 1
`;

/** Further KEYS: a hash; further ARGV: field, value… */
const stageScript = `#!lua
${guard}
redis.call('HSET', KEYS[4], unpack(ARGV, 4))
return 1
`;

/** Further KEYS: dir, cols, pages, meta, sealed; further ARGV: fields of cols, of pages, number, entry, meta. */
const switchScript = `#!lua
${guard}
if redis.call('HLEN', KEYS[5]) ~= tonumber(ARGV[4]) then return 0 end
if redis.call('HLEN', KEYS[6]) ~= tonumber(ARGV[5]) then return 0 end
redis.call('SET', KEYS[7], ARGV[8])
redis.call('HSET', KEYS[8], ARGV[6], ARGV[7])
redis.call('HINCRBY', KEYS[8], '${sealedVersionField}', 1)
redis.call('UNLINK', KEYS[3], KEYS[4])
return 1
`;

/** False if somebody else seals a segment of the property, or it is not the property it was. */
export async function takeSealLease({
  connection,
  keys,
  generation,
  token,
  leaseMs,
}: SealTicket): Promise<boolean> {
  const args = ['2', keys.sealLease, keys.generation, token, generation, String(leaseMs)];
  return (await connection.call('EVAL', [takeScript, ...args])) === 1;
}

export async function releaseSealLease({ connection, keys, token }: SealTicket): Promise<void> {
  await connection.call('EVAL', [releaseScript, '1', keys.sealLease, token]);
}

/** Removes what a sealer left behind that did not come to its end. False: the segment is not ours to seal. */
export function beginSealing(ticket: SealTicket): Promise<boolean> {
  const { keys, number } = ticket;
  const names = [keys.segmentColumns(number), keys.segmentPages(number), keys.segmentMeta(number)];
  return step(ticket, beginScript, names, []);
}

/** Writes fields of one of the segment's hashes. False: the segment is not ours to seal any more. */
export function stageFields(
  ticket: SealTicket,
  hashKey: string,
  fields: readonly (readonly [field: string, value: Buffer])[],
): Promise<boolean> {
  return step(ticket, stageScript, [hashKey], fields.flat());
}

/** Makes the columns and pages the segment's, if all of them are there, and unlinks its chunks. False: it did not. */
export function switchToSealed(
  ticket: SealTicket,
  entry: SealedEntry,
  meta: SegmentMeta,
  staged: { readonly columnFields: number; readonly pages: number },
): Promise<boolean> {
  const { keys, number } = ticket;
  const names = [
    keys.directory(number),
    keys.segmentColumns(number),
    keys.segmentPages(number),
    keys.segmentMeta(number),
    keys.sealed,
  ];
  const numbers = [staged.columnFields, staged.pages, number].map(String);
  return step(ticket, switchScript, names, [...numbers, formatSealedEntry(entry), JSON.stringify(meta)]);
}

async function step(
  { connection, keys, generation, number, token, leaseMs }: SealTicket,
  script: string,
  names: readonly string[],
  args: readonly (string | Buffer)[],
): Promise<boolean> {
  const allKeys = [keys.sealLease, keys.generation, keys.documents(number), ...names];
  const allArgs = [token, generation, String(leaseMs), ...args];
  const reply = await connection.call('EVAL', [script, String(allKeys.length), ...allKeys, ...allArgs]);
  return reply === 1;
}
