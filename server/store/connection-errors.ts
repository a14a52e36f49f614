/** What a failed command means: for the caller (a CrowdbeatError), and whether it may be sent again. */
import { CrowdbeatError, type ErrorCode, messageOf } from '../base/errors.ts';

/** Replies with a meaning of their own; of all of them is true that the command did not run. */
const codeOfReply: Readonly<Record<string, ErrorCode>> = {
  DELETING: 'CB_PROPERTY_DELETING',
  OOM: 'CB_REDIS_FULL',
  MISCONF: 'CB_REDIS_DISK',
};

/** Replies that say "not now" and not "not so": the server is away for this purpose. */
const awayReplies: ReadonlySet<string> = new Set([
  'LOADING',
  'READONLY',
  'MASTERDOWN',
  'CLUSTERDOWN',
  'TRYAGAIN',
  'MOVED',
  'ASK',
  'BUSY',
  'NOREPLICAS',
  // The master of a blocked WAIT became a replica.
  'UNBLOCKED',
]);

/** Of them those that a cluster mends by itself within seconds: a slot on its way, a failover, a node that starts. */
const passingReplies: ReadonlySet<string> = new Set([
  'LOADING',
  'READONLY',
  'MASTERDOWN',
  'CLUSTERDOWN',
  'TRYAGAIN',
  'MOVED',
  'ASK',
]);

/** ioredis gave up following answers, each of which said that the command had not run. */
const tooManyRedirections = 'Too many Cluster redirections';
const noNode = "Cluster isn't ready";

const firstWord = (message: string): string => message.split(' ', 1)[0] ?? '';

const isReply = (error: unknown): boolean => error instanceof Error && error.name === 'ReplyError';

/** True if the reply proves that the command did not run, and that the same one may run soon. */
export function isPassingReply(error: unknown): boolean {
  const message = messageOf(error);
  if (message.startsWith(tooManyRedirections) || message.startsWith(noNode)) return true;
  return isReply(error) && passingReplies.has(firstWord(message));
}

/** True if the reply sends the command to another node, or to the same one later. */
export function isRedirection(error: unknown): boolean {
  return isReply(error) && ['MOVED', 'ASK', 'TRYAGAIN', 'CLUSTERDOWN'].includes(firstWord(messageOf(error)));
}

/** There is no connection to the node that a key is thought to belong to. */
export class NoNodeError extends Error {}

/** True if the node that was asked is not, or no longer, the key's. */
export function isElsewhere(error: unknown): boolean {
  return error instanceof NoNodeError || isRedirection(error);
}

export function asCrowdbeatError(error: unknown): never {
  if (error instanceof CrowdbeatError) throw error;
  const message = messageOf(error);
  const word = firstWord(message);
  const code = isReply(error) && Object.hasOwn(codeOfReply, word) ? codeOfReply[word] : undefined;
  if (code !== undefined) throw new CrowdbeatError(code, message, { cause: error });
  if (isReply(error) && !awayReplies.has(word))
    throw new CrowdbeatError('CB_REDIS_REPLY', `Redis refused: ${message}`, { cause: error });
  throw new CrowdbeatError('CB_REDIS_UNREACHABLE', `Redis did not answer: ${message}`, { cause: error });
}
