/**
 * `POST /session/update`: heartbeats into a session store, as many a second as `POST /write` sees where a site keeps
 * only the last one of each session. JSON on the direct path; JSON and forms behind node:http.
 */
import { isUtf8 } from 'node:buffer';
import type { Clock } from '../base/clock.ts';
import type { Enricher, Sender } from '../ingest/enrich/enricher.ts';
import { limits } from '../protocol/limits.ts';
import type { PropertyName } from '../protocol/property.ts';
import type { ErrorReply } from '../protocol/replies.ts';
import { readUpdate, readUpdateForm, type SessionUpdate } from '../sessions/read-update.ts';
import type { SessionUpdates } from '../sessions/session-updates.ts';
import type { SessionOutcome } from '../store/session-store.ts';
import { type Answer, errorAnswer, retryAfter, send, sendUnread } from './answer.ts';
import { bodyReader } from './body.ts';
import { failureAnswer, type Log, sendFailure } from './failure.ts';
import { type Parameters, parseQuery } from './query-string.ts';
import { type CollectorRequest, senderOf } from './request.ts';
import type { PendingReply, Route } from './router.ts';
import { heartbeatDoor } from './session-door.ts';
import { PropertyOfHeader, queryOf } from './write.ts';

export interface SessionUpdateOptions {
  readonly updates: SessionUpdates;
  readonly enricher: Enricher;
  readonly clock: Clock;
  readonly log: Log;
}

const path = '/session/update';
const where = `POST ${path}`;

/** Nothing to say: `allHeaders` makes the direct path keep its text. */
const done: Answer = { status: 204, json: '', allHeaders: [] };

const queueFull: Answer = errorAnswer(
  {
    status: 503,
    code: 'queue_full',
    message: 'the queue is full: updates come faster than Redis takes them',
  },
  retryAfter,
);

const badEncoding: ErrorReply = { status: 400, code: 'not_utf8', message: 'the body is not UTF-8' };

export function sessionUpdateRoute({ updates, enricher, clock, log }: SessionUpdateOptions): Route {
  const properties = new PropertyOfHeader();
  const failure = (thrown: unknown, clientId?: string): Answer => failureAnswer(thrown, where, log, clientId);

  /** @param answer told once, now or later */
  const apply = (
    property: PropertyName,
    update: SessionUpdate | ErrorReply,
    bytes: number,
    answer: (given: Answer) => void,
    failed: (thrown: unknown) => void,
  ): void => {
    if ('status' in update) {
      answer(errorAnswer(update));
      return;
    }
    const { store, operations, isVerbose } = update;
    const isQueued = updates.submit(property, store, operations, bytes, {
      applied: (outcomes) => answer(answerOf(store, outcomes, isVerbose)),
      failed,
    });
    if (!isQueued) answer(queueFull);
  };

  const read = (request: CollectorRequest, body: Buffer): SessionUpdate | ErrorReply => {
    if (!isUtf8(body)) return badEncoding;
    const text = body.toString('utf8');
    const receipt = enricher.receipt(clock.wallMs(), senderOf(request));
    const update = text.trimStart().startsWith('{')
      ? readUpdate(text, receipt, heartbeatDoor)
      : readForm({ text, receipt });
    const fields = queryFields(queryOf(request));
    return 'status' in update || 'status' in fields ? update : withVerbose(update, fields.get('verbose'));
  };

  const readBody = bodyReader((request, response, body) => {
    const fail = (thrown: unknown): void => sendFailure(response, thrown, where, log);
    const { grant } = request;
    const property = grant?.property ?? request.property;
    try {
      apply(property, read(request, body), body.length, (given) => send(response, given), fail);
    } catch (thrown) {
      fail(thrown);
    }
  });

  return {
    method: 'POST',
    path,
    right: 'sessionUpdate',
    handleWhole(body, head, ip, reply) {
      try {
        const property = properties.get(head.property);
        if ('status' in property) {
          reply.answer(errorAnswer(property));
          return;
        }
        const sender = { peer: ip, forwardedFor: head.forwardedFor, agent: head.userAgent };
        applyWhole(property, body, sender, reply);
      } catch (thrown) {
        reply.answer(failure(thrown, reply.requestId));
      }
    },
    handle(request, response, query) {
      const fields = encodingFault(request) ?? queryFields(query);
      if ('status' in fields) sendUnread(request, response, errorAnswer(fields), limits.bodyBytesMax);
      else readBody(request, response);
    },
  };

  function applyWhole(property: PropertyName, body: Buffer, sender: Sender, reply: PendingReply): void {
    const update = isUtf8(body)
      ? readUpdate(body.toString('utf8'), enricher.receipt(clock.wallMs(), sender), heartbeatDoor)
      : badEncoding;
    apply(
      property,
      update,
      body.length,
      (given) => reply.answer(given),
      (thrown) => reply.answer(failure(thrown, reply.requestId)),
    );
  }
}

interface FormOptions {
  readonly text: string;
  readonly receipt: ReturnType<Enricher['receipt']>;
}

/** The property is named by header or URL alone: it was decided before the body came who may write to it. */
function readForm({ text, receipt }: FormOptions): SessionUpdate | ErrorReply {
  const fields = parseQuery(text, ['store', 'ops', 'verbose']);
  if ('status' in fields) return fields;
  const update = readUpdateForm(fields.get('store'), fields.get('ops'), receipt, heartbeatDoor);
  return 'status' in update ? update : withVerbose(update, fields.get('verbose'));
}

function withVerbose(update: SessionUpdate, verbose: string | undefined): SessionUpdate | ErrorReply {
  if (verbose === undefined || verbose === 'false') return update;
  if (verbose === 'true') return { ...update, isVerbose: true };
  const message = `verbose: must be true or false, got ${JSON.stringify(verbose.slice(0, 60))}`;
  return { status: 400, code: 'bad_parameter', message };
}

function queryFields(query: string): Parameters | ErrorReply {
  return parseQuery(query, ['verbose', 'property']);
}

function encodingFault({ headers }: CollectorRequest): ErrorReply | undefined {
  const encoding = headers['content-encoding'];
  if (encoding === undefined || encoding.toLowerCase() === 'identity') return undefined;
  const message = `content-encoding "${encoding.slice(0, 100)}" is not supported here: send it plain`;
  return { status: 415, code: 'unsupported_media_type', message };
}

function answerOf(
  store: string,
  outcomes: readonly SessionOutcome[] | undefined,
  isVerbose: boolean,
): Answer {
  if (outcomes === undefined) return errorAnswer(noSuchStore(store));
  if (!isVerbose && outcomes.length === 1 && outcomes[0] === 'updated') return done;
  const counts: Record<SessionOutcome, number> = {
    created: 0,
    updated: 0,
    stale: 0,
    deleted: 0,
    missing: 0,
    kept: 0,
  };
  for (const outcome of outcomes) counts[outcome] += 1;
  if (isVerbose) return { status: 200, json: JSON.stringify(counts) };
  // What did nothing is worth a word also where nobody asked.
  const idle = (['stale', 'missing', 'kept'] as const).filter((name) => counts[name] > 0);
  if (idle.length === 0) return done;
  const words = idle.map((name) => `${name}=${counts[name]}`).join(',');
  return { status: 204, json: '', allHeaders: ['x-crowdbeat-outcome', words] };
}

export function noSuchStore(store: string): ErrorReply {
  const name = JSON.stringify(store.slice(0, 140));
  return { status: 404, code: 'no_such_store', message: `the property has no session store ${name}` };
}
