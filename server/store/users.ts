/**
 * Users of a property: a record each, and the ties between users and visitors.
 *
 * An event that tells of a user is applied here after it was stored and before it is acknowledged. If a process
 * dies between the two, the client sends the event again, it is found to be a duplicate, and is applied once more;
 * so applying must not mind how often or in which order it happens (docs/decisions/0014-users-beside-the-commit.md).
 */
import { readFileSync } from 'node:fs';
import { limits } from '../protocol/limits.ts';
import type { PropertyName } from '../protocol/property.ts';
import type { UserRecordReply, UserTie, VisitorUsersReply } from '../protocol/replies.ts';
import { bulk } from './commit-request.ts';
import { type EncodedArguments, makeScript, type RedisConnection } from './connection.ts';
import type { IdentityChange, IdentityType } from './identity-change.ts';
import { escapeName, PropertyKeys, unescapeName } from './keys.ts';

/** Longer than the year that a visitor's cookie lives. */
const visitorUsersSeconds = 400 * 86_400;

const changeScript = makeScript(readFileSync(new URL('./users.lua', import.meta.url), 'utf8'));

// One script, so that a record and its visitors are of one moment.
const recordScript = makeScript(`#!lua flags=no-writes
return {redis.call('HGETALL', KEYS[1]), redis.call('ZREVRANGE', KEYS[2], 0, -1, 'WITHSCORES')}
`);

/** The letters that the script knows; see users.lua. */
const kindsOf: Record<IdentityType, string> = {
  signup: 't',
  login: 'tl',
  loginAndImport: 'tl',
  updateUser: '',
  logout: 'o',
};

const userMember = 'u:';
const logoutMember = 'out';

/**
 * Merges what one event says. Of an event that names no user the visitor's user at its time is meant; if there was
 * none, nothing is merged.
 * @param wasStoredBefore the event is a duplicate: if it has no time of its own, it only fills gaps
 * @throws CB_REDIS_UNREACHABLE, CB_REDIS_REPLY; CB_PROPERTY_DELETING when the property is gone or going
 */
export async function applyIdentity(
  connection: RedisConnection,
  property: PropertyName,
  change: IdentityChange,
  wasStoredBefore: boolean,
): Promise<void> {
  const keys = new PropertyKeys(property);
  const user = change.userId ?? (await userAt(connection, keys, change.visitorId, change.timeMs));
  if (user === undefined && change.type !== 'logout') return;
  const onlyGaps = wasStoredBefore && !change.isOwnTime;
  const kinds = `${kindsOf[change.type]}${user === undefined ? '' : 'r'}${onlyGaps ? 'g' : ''}`;
  const { type, data, signupMs } = change;
  const members = type === 'logout' || data === undefined ? [] : Object.entries(data);
  const encoded = encodeArguments(
    [
      keys.generation,
      keys.userRecord(user ?? ''),
      keys.visitorsOfUser(user ?? ''),
      keys.usersOfVisitor(change.visitorId),
    ],
    [
      kinds,
      String(change.timeMs),
      signupMs === undefined ? '' : String(signupMs),
      change.visitorId,
      user ?? '',
      String(visitorUsersSeconds),
      String(limits.visitorsPerUserMax),
      String(limits.usersPerVisitorMax),
      String(limits.userRecordMembersMax),
      String(limits.userRecordBytesMax),
      ...members.flatMap(([name, value]) => [escapeName(name), JSON.stringify(value)]),
    ],
  );
  await connection.runEncoded(changeScript, keys.generation, encoded);
}

/** A script's arguments for `runEncoded`. */
function encodeArguments(keys: readonly string[], args: readonly string[]): EncodedArguments {
  const texts = [String(keys.length), ...keys, ...args];
  return { count: texts.length, bytes: Buffer.from(texts.map(bulk).join('')) };
}

/** Who the visitor was at an instant (epoch ms): the latest tie until then, unless a logout lies between. */
async function userAt(
  connection: RedisConnection,
  keys: PropertyKeys,
  visitorId: string,
  timeMs: number,
): Promise<string | undefined> {
  const args = [keys.usersOfVisitor(visitorId), String(timeMs), '-inf', 'LIMIT', '0', '1'];
  const [latest] = texts(await connection.call('ZREVRANGEBYSCORE', args));
  return latest === undefined || latest === logoutMember ? undefined : latest.slice(userMember.length);
}

/** The record of a user; undefined if no event told of one. */
export async function readUserRecord(
  connection: RedisConnection,
  property: PropertyName,
  userId: string,
): Promise<UserRecordReply | undefined> {
  const keys = new PropertyKeys(property);
  const names = [keys.userRecord(userId), keys.visitorsOfUser(userId)];
  const [fields, visitors] = ((await connection.readScript(recordScript, names, [])) as unknown[]).map(texts);
  if (fields === undefined || fields.length === 0) return undefined;
  const record = new Map(pairs(fields));
  return {
    id: userId,
    data: readData(record),
    ...(record.has('full') ? { full: true as const } : {}),
    signupDate: timeOf(record, 'signup'),
    firstLogin: timeOf(record, 'firstLogin'),
    lastLogin: timeOf(record, 'lastLogin'),
    lastLogout: timeOf(record, 'lastLogout'),
    updated: timeOf(record, 'updated'),
    visitors: ties(visitors ?? []),
  };
}

/** Users whom a visitor was; undefined if none. */
export async function readVisitorUsers(
  connection: RedisConnection,
  property: PropertyName,
  visitorId: string,
): Promise<VisitorUsersReply | undefined> {
  const key = new PropertyKeys(property).usersOfVisitor(visitorId);
  const members = ties(texts(await connection.call('ZREVRANGE', [key, '0', '-1', 'WITHSCORES'])));
  const users = members
    .filter(({ id }) => id !== logoutMember)
    .map(({ id, time }) => ({ id: id.slice(userMember.length), time }));
  if (users.length === 0) return undefined;
  const current = members[0]?.id === logoutMember ? undefined : users[0]?.id;
  return { visitor: visitorId, user: current ?? null, users };
}

const dataField = 'd:';

function readData(record: ReadonlyMap<string, string>): Record<string, unknown> {
  const data: Record<string, unknown> = Object.create(null);
  for (const [field, text] of record) {
    if (!field.startsWith(dataField)) continue;
    const value: unknown = JSON.parse(text.slice(text.indexOf(' ') + 1));
    if (value !== null) data[unescapeName(field.slice(dataField.length))] = value;
  }
  return data;
}

const timeOf = (record: ReadonlyMap<string, string>, field: string): number | null =>
  record.has(field) ? Number(record.get(field)) : null;

const ties = (membersAndScores: readonly string[]): UserTie[] =>
  pairs(membersAndScores).map(([id, time]) => ({ id, time: Number(time) }));

function texts(reply: unknown): string[] {
  return Array.isArray(reply) ? reply.map(String) : [];
}

function pairs(flat: readonly string[]): [string, string][] {
  return Array.from({ length: flat.length / 2 }, (_none, i) => [flat[2 * i] ?? '', flat[2 * i + 1] ?? '']);
}
