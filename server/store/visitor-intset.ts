/**
 * Reads what `DUMP` says of a set of integers, the form in which Redis keeps a small set of visitors.
 *
 *   0x0b | length | intset | version (2 bytes) | CRC-64 (8 bytes)            rdb.h: RDB_TYPE_SET_INTSET = 11
 *   length   00xxxxxx   6 bits       01xxxxxx x   14 bits       10000000 xxxx   32 bits, big-endian
 *            (11000011: compressed; visitor-fetch.lua reads such a set otherwise)
 *   intset   bytes of a member: 2, 4 or 8 | members | each member, ascending; all little-endian       intset.h
 *
 * A worked example, the set {1, 300}: 0b 0c | 02 00 00 00 | 02 00 00 00 | 01 00 | 2c 01 | 0b 00 …
 */
import { CrowdbeatError } from '../base/errors.ts';

const intsetType = 0x0b;

/** @returns members, ascending. Throws CB_REDIS_REPLY if it is something else. */
export function readIntsetDump(dump: Buffer): Int32Array {
  if (dump[0] !== intsetType) return refuse(`type ${dump[0]}`);
  const [length, from] = readLength(dump, 1);
  const intset = dump.subarray(from, from + length);
  const memberBytes = intset.readUInt32LE(0);
  const members = makeRoom(intset.readUInt32LE(4));
  if (memberBytes === 2) for (let i = 0; i < members.length; i++) members[i] = intset.readInt16LE(8 + 2 * i);
  else if (memberBytes === 4)
    new Uint8Array(members.buffer, members.byteOffset, members.byteLength).set(
      intset.subarray(8, 8 + 4 * members.length),
    );
  else return refuse(`members of ${memberBytes} bytes`);
  return members;
}

const roomMembers = 8192;
let room = new Int32Array(0);
let used = 0;

/** Thousands of small arrays of their own would keep the garbage collector busy: they share the memory of a larger one. */
function makeRoom(members: number): Int32Array {
  if (used + members > room.length) {
    room = new Int32Array(Math.max(roomMembers, members));
    used = 0;
  }
  used += members;
  return room.subarray(used - members, used);
}

function refuse(found: string): never {
  const message = `visitors: needs a dump of integers of 2 or 4 bytes, got ${found}`;
  throw new CrowdbeatError('CB_REDIS_REPLY', message);
}

function readLength(dump: Buffer, at: number): [length: number, next: number] {
  const first = dump[at] as number;
  if (first < 0x40) return [first, at + 1];
  if (first < 0x80) return [((first & 0x3f) << 8) | (dump[at + 1] as number), at + 2];
  return [dump.readUInt32BE(at + 1), at + 5];
}
