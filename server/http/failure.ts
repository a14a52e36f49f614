/** What a client is told when something threw. Only what it can act on; the inside goes to the log. */
import { CrowdbeatError, type ErrorCode, messageOf } from '../base/errors.ts';
import { type Answer, errorAnswer, retryAfter, send } from './answer.ts';
import type { Response } from './request.ts';

/** Writes one line to the operator. */
export type Log = (line: string) => void;

const redisAway: Answer = errorAnswer(
  {
    status: 503,
    code: 'redis_away',
    message: 'Redis does not answer; nothing is known to be stored, try again',
  },
  retryAfter,
);

const deleting: Answer = errorAnswer(
  {
    status: 503,
    code: 'property_deleting',
    message: 'the property is being deleted; nothing of this was stored, try again',
  },
  retryAfter,
);

const internal: Answer = errorAnswer({
  status: 500,
  code: 'internal',
  message: 'internal error; the log of the collector says more',
});

/** Errors that pass by themselves: the same request may work in a second. */
const passing: readonly ErrorCode[] = ['CB_REDIS_UNREACHABLE', 'CB_REDIS_STALE'];

/** @param where the route, for the log: `POST /write` */
export function failureAnswer(thrown: unknown, where: string, log: Log): Answer {
  if (thrown instanceof CrowdbeatError && passing.includes(thrown.code)) return redisAway;
  if (thrown instanceof CrowdbeatError && thrown.code === 'CB_PROPERTY_DELETING') return deleting;
  log(`${where}: ${oneLine(thrown)}`);
  return internal;
}

/** Answers a request whose handling threw. If part of a reply is out already, only closing is left. */
export function sendFailure(response: Response, thrown: unknown, where: string, log: Log): void {
  const answer = failureAnswer(thrown, where, log);
  if (response.headersSent) response.destroy();
  else send(response, answer);
}

/** The message and where it was thrown. Messages may quote data: one error must stay one line. */
function oneLine(thrown: unknown): string {
  const stack = thrown instanceof Error ? (thrown.stack ?? '') : '';
  const place = stack.split('\n').find((line) => line.trimStart().startsWith('at ')) ?? '';
  return `${messageOf(thrown)} ${place.trim()}`.replaceAll(/[\r\n]+/g, ' ').trim();
}
