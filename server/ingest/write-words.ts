/**
 * What a write says of how it wants to be written: `publish`, `async` and `durability`, in the URL, in a form or in
 * the JSON envelope. Said twice, it must be the same.
 *
 *   publish=false   checks the events and stores nothing
 *   async=true      is answered when the events are queued, not when they are stored
 *   durability=fsynced|replicated   is answered when they are on the disk of Redis, or on a replica of it
 */
import { type AskedDurability, askedDurabilities } from '../protocol/durability.ts';
import type { ErrorReply } from '../protocol/replies.ts';

export interface WriteWords {
  readonly publish?: boolean;
  readonly async?: boolean;
  readonly durability?: AskedDurability | 'stored';
}

export const writeWordNames = ['publish', 'async', 'durability'] as const;

const durabilities: readonly unknown[] = ['stored', ...askedDurabilities];

/** `store`: answered when stored; `queue`: when queued; `check`: nothing is stored; others: when so durable. */
export type WriteMode = 'store' | 'queue' | 'check' | AskedDurability;

export function writeModeOf({
  publish = true,
  async: isAsync = false,
  durability,
}: WriteWords): WriteMode | ErrorReply {
  if (!publish) return 'check';
  if (isAsync && durability !== undefined) {
    const message = `async=true is answered before anything is stored, so it can't be ${durability} then`;
    return { status: 400, code: 'bad_parameter', message };
  }
  if (durability === 'fsynced' || durability === 'replicated') return durability;
  return isAsync ? 'queue' : 'store';
}

/** The words among the parameters of a URL or a form, where they are texts; undefined if there are none. */
export function wordsOfParameters(
  parameters: ReadonlyMap<string, string>,
): WriteWords | ErrorReply | undefined {
  if (!writeWordNames.some((name) => parameters.has(name))) return undefined;
  const members: Record<string, unknown> = {};
  for (const name of writeWordNames) {
    const text = parameters.get(name);
    if (text !== undefined) members[name] = text === 'true' ? true : text === 'false' ? false : text;
  }
  return wordsOfMembers(members);
}

/** The words among the members of an envelope; undefined if there are none. */
export function wordsOfMembers(
  members: Readonly<Record<string, unknown>>,
): WriteWords | ErrorReply | undefined {
  let words: WriteWords | undefined;
  for (const name of writeWordNames) {
    const value = members[name];
    if (value === undefined) continue;
    const isGood = name === 'durability' ? durabilities.includes(value) : typeof value === 'boolean';
    if (!isGood) {
      const rule = name === 'durability' ? 'stored, fsynced or replicated' : 'true or false';
      const got = JSON.stringify(value)?.slice(0, 100);
      return { status: 400, code: 'bad_parameter', message: `${name}: needs ${rule}, got ${got}` };
    }
    words = { ...words, [name]: value };
  }
  return words;
}

/** What both say together. */
export function joinWords(
  one: WriteWords | undefined,
  other: WriteWords | undefined,
): WriteWords | ErrorReply | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  const contradiction = writeWordNames.find(
    (name) => one[name] !== undefined && other[name] !== undefined && one[name] !== other[name],
  );
  if (contradiction === undefined) return { ...one, ...other };
  const message = `${contradiction}: the request says both ${one[contradiction]} and ${other[contradiction]}`;
  return { status: 400, code: 'bad_parameter', message };
}
