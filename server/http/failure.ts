/** What a client is told when something threw. Only what it can act on; the inside goes to the log. */
import { CrowdbeatError, type ErrorCode, messageOf } from '../base/errors.ts';
import { type Answer, errorAnswer, retryAfter, send } from './answer.ts';
import type { Response } from './request.ts';
import { makeRequestId, requestIdHeader, saneRequestId, withRequestId } from './request-id.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** What a line is about, for logs that programs read. */
export interface LogDetails {
  /** Default warn. */
  readonly level?: LogLevel;
  readonly requestId?: string;
  readonly request?: {
    readonly method: string;
    readonly url: string;
    readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  };
}

/** Writes one line to the operator. */
export type Log = (line: string, details?: LogDetails) => void;

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

const busy: Answer = errorAnswer(
  {
    status: 503,
    code: 'busy',
    message: 'too much of this is asked for at the same time; nothing was done, try again',
  },
  retryAfter,
);

const internal: Answer = errorAnswer({
  status: 500,
  code: 'internal',
  message: 'internal error; the log of the collector says more',
});

/** Redis answers and takes nothing, or took it and promises less than was asked for. */
const passingAnswers: Partial<Record<ErrorCode, Answer>> = {
  CB_REDIS_FULL: errorAnswer(
    {
      status: 503,
      code: 'redis_full',
      message: 'Redis is at its maxmemory; nothing of this was stored, try again when it has room',
    },
    retryAfter,
  ),
  CB_REDIS_DISK: errorAnswer(
    {
      status: 503,
      code: 'redis_disk_full',
      message: 'Redis can not write to its disk; nothing of this was stored, try again when it can',
    },
    retryAfter,
  ),
  CB_NOT_REPLICATED: errorAnswer(
    {
      status: 503,
      code: 'not_replicated',
      message: 'the events are stored, but no replica has confirmed them; it is safe to send them again',
    },
    retryAfter,
  ),
  CB_NOT_FSYNCED: errorAnswer(
    {
      status: 503,
      code: 'not_fsynced',
      message: 'the events are stored, but not confirmed to be on the disk; it is safe to send them again',
    },
    retryAfter,
  ),
};

/** Errors that pass by themselves: the same request may work in a second. */
const passing: readonly ErrorCode[] = ['CB_REDIS_UNREACHABLE', 'CB_REDIS_STALE'];

/**
 * An error that is logged has an id, in the log and in the reply: the client's, or one made now.
 * @param where the route, for the log: `POST /write`
 * @param clientId what the client calls its request, as it came
 */
export function failureAnswer(
  thrown: unknown,
  where: string,
  log: Log,
  clientId?: string | undefined,
  request?: LogDetails['request'],
): Answer {
  if (thrown instanceof CrowdbeatError && passing.includes(thrown.code)) return redisAway;
  const passingAnswer = thrown instanceof CrowdbeatError ? passingAnswers[thrown.code] : undefined;
  if (passingAnswer !== undefined) return passingAnswer;
  if (thrown instanceof CrowdbeatError && thrown.code === 'CB_PROPERTY_DELETING') return deleting;
  if (thrown instanceof CrowdbeatError && thrown.code === 'CB_BUSY') return busy;
  const requestId = saneRequestId(clientId) ?? makeRequestId();
  const details = { level: 'error', requestId } as const;
  log(`${where}: ${oneLine(thrown)}`, request === undefined ? details : { ...details, request });
  return withRequestId(internal, requestId);
}

/** Answers a request whose handling threw. If part of a reply is out already, only closing is left. */
export function sendFailure(response: Response, thrown: unknown, where: string, log: Log): void {
  const { method = 'GET', url = '/', headers } = response.req;
  const clientId = headers[requestIdHeader] as string | undefined;
  const answer = failureAnswer(thrown, where, log, clientId, { method, url, headers });
  if (response.headersSent) response.destroy();
  else send(response, answer);
}

/** The message and where it was thrown. Messages may quote data: one error must stay one line. */
function oneLine(thrown: unknown): string {
  const stack = thrown instanceof Error ? (thrown.stack ?? '') : '';
  const place = stack.split('\n').find((line) => line.trimStart().startsWith('at ')) ?? '';
  return `${messageOf(thrown)} ${place.trim()}`.replaceAll(/[\r\n]+/g, ' ').trim();
}
