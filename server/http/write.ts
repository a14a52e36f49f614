/**
 * `POST /write`: the hot path. One event per request, thousands of requests a second.
 */

import { propertyOfRequest } from '../access/property-of-request.ts';
import type { Clock } from '../base/clock.ts';
import { type AcceptedItem, type AcceptedWrite, acceptBody } from '../ingest/accept.ts';
import type { WriteRefusal } from '../ingest/batcher.ts';
import { Enricher } from '../ingest/enrich/enricher.ts';
import type { EventCounts } from '../ingest/event-counts.ts';
import type { Intake } from '../ingest/intake.ts';
import type { Writer } from '../ingest/property-queue.ts';
import { answerAtOnce, oneAccepted, writeAnswer } from '../ingest/write-reply.ts';
import {
  joinWords,
  type WriteMode,
  type WriteWords,
  wordsOfMembers,
  wordsOfParameters,
  writeModeOf,
} from '../ingest/write-words.ts';
import { type AskedDurability, durabilityHeader } from '../protocol/durability.ts';
import { limits } from '../protocol/limits.ts';
import { type PropertyName, propertyHeader } from '../protocol/property.ts';
import type { ErrorReply } from '../protocol/replies.ts';
import type { CommitOutcome, EventRecord } from '../store/event-record.ts';
import { type Answer, errorAnswer, prepared, retryAfter, send, sendUnread } from './answer.ts';
import { bodyReader } from './body.ts';
import { type DurableWrites, unsupported } from './durable-write.ts';
import { failureAnswer, type Log, sendFailure } from './failure.ts';
import { parseQuery } from './query-string.ts';
import { type CollectorRequest, type Response, senderOf } from './request.ts';
import type { PendingReply, Route } from './router.ts';
import { acceptFormatted, writeFormatOf, writeParameters } from './write-formats.ts';

export interface WriteOptions {
  readonly intake: Intake;
  readonly clock: Clock;
  readonly log: Log;
  /** Where events are counted that never reach the store. */
  readonly counts?: EventCounts | undefined;
  /** Default: one that knows agents, and nothing of places or proxies. */
  readonly enricher?: Enricher | undefined;
  /** Without it nothing more than `stored` is promised. */
  readonly durable?: DurableWrites | undefined;
}

/** The answers to a write that was not even queued. */
export const refusals: Record<WriteRefusal, Answer> = {
  queue_full: errorAnswer(
    {
      status: 503,
      code: 'queue_full',
      message: 'the queue is full: events come faster than Redis takes them',
    },
    retryAfter,
  ),
  too_many_properties: errorAnswer(
    {
      status: 503,
      code: 'too_many_properties',
      message: 'too many properties are being written at the same time',
    },
    retryAfter,
  ),
};

const oneAcceptedPrepared = prepared(oneAccepted);

export function writeRoute(options: WriteOptions): Route {
  const { intake, clock, log, counts, enricher = new Enricher() } = options;
  const fail = (response: Response, thrown: unknown): void =>
    sendFailure(response, thrown, 'POST /write', log);

  /** The answer to a write whose events are queued, or only checked, or must be more than stored. */
  const otherwise = async (
    property: PropertyName,
    items: readonly AcceptedItem[],
    mode: Exclude<WriteMode, 'store'>,
  ): Promise<Answer> => {
    const records = recordsOf(items, counts);
    if (mode === 'fsynced' || mode === 'replicated')
      return writeDurably(options.durable, property, items, records, mode);
    const refusal = mode === 'queue' ? intake.queue(property, records) : undefined;
    return refusal === undefined
      ? answerAtOnce(items, mode === 'queue' ? 'queued' : 'none')
      : refusals[refusal];
  };

  const store = (
    request: CollectorRequest,
    response: Response,
    accepted: AcceptedItem[] | AcceptedWrite | ErrorReply,
  ): void => {
    const mode =
      Array.isArray(accepted) || !('status' in accepted) ? modeOf(accepted, request.words) : accepted;
    if (typeof mode === 'object') {
      send(response, errorAnswer(mode));
      return;
    }
    const items = itemsOf(accepted as AcceptedItem[] | AcceptedWrite);
    if (mode !== 'store') {
      otherwise(request.property, items, mode)
        .then((answer) => send(response, answer))
        .catch((thrown) => fail(response, thrown));
      return;
    }
    const pending = intake.write(request.property, recordsOf(items, counts));
    if (typeof pending === 'string') send(response, refusals[pending]);
    else
      pending
        .then((outcomes) => send(response, outcomeAnswer(items, outcomes)))
        .catch((thrown) => fail(response, thrown));
  };

  const readBody = bodyReader((request, response, body) => {
    try {
      const receipt = enricher.receipt(clock.wallMs(), senderOf(request));
      if (request.format === undefined) store(request, response, acceptBody(body, receipt));
      else
        acceptFormatted(request, request.format, body, queryOf(request), receipt)
          .then((items) => store(request, response, items))
          .catch((thrown) => fail(response, thrown));
    } catch (thrown) {
      fail(response, thrown);
    }
  });

  const failure = (thrown: unknown, clientId: string | undefined): Answer =>
    failureAnswer(thrown, 'POST /write', log, clientId);
  const properties = new PropertyOfHeader();

  return {
    method: 'POST',
    path: '/write',
    right: 'publish',
    handleWhole(body, head, ip, reply) {
      try {
        const property = properties.get(head.property);
        if ('status' in property) {
          reply.answer(errorAnswer(property));
          return;
        }
        const sender = { peer: ip, forwardedFor: head.forwardedFor, agent: head.userAgent };
        const accepted = acceptBody(body, enricher.receipt(clock.wallMs(), sender));
        const mode =
          Array.isArray(accepted) || !('status' in accepted) ? modeOf(accepted, undefined) : accepted;
        if (typeof mode === 'object') {
          reply.answer(errorAnswer(mode));
          return;
        }
        const items = itemsOf(accepted as AcceptedItem[] | AcceptedWrite);
        if (mode !== 'store') {
          otherwise(property, items, mode)
            .then((answer) => reply.answer(answer))
            .catch((thrown) => reply.answer(failure(thrown, reply.requestId)));
          return;
        }
        const refusal = intake.submit(
          property,
          recordsOf(items, counts),
          new DirectWriter(items, reply, failure),
        );
        if (refusal !== undefined) reply.answer(refusals[refusal]);
      } catch (thrown) {
        reply.answer(failure(thrown, reply.requestId));
      }
    },
    handle(request, response, query) {
      const problem = prepare(request, query);
      if (problem === undefined) readBody(request, response);
      else sendUnread(request, response, problem, limits.bodyBytesMax);
    },
  };
}

/** Notes the request's property; or says why its body need not be read. */
function prepare(request: CollectorRequest, query: string): Answer | undefined {
  const { headers } = request;
  const type = headers['content-type'];
  const encoding = headers['content-encoding'];
  if (type !== 'application/json' || encoding !== undefined) {
    const format = writeFormatOf(type, encoding);
    if (format !== undefined && 'status' in format) return errorAnswer(format);
    request.format = format;
  }
  const parameters = parseQuery(query, writeParameters);
  if ('status' in parameters) return errorAnswer(parameters);
  const words = wordsOfRequest(parameters, headers[durabilityHeader]);
  if (words !== undefined && 'status' in words) return errorAnswer(words);
  request.words = words;
  const property = propertyOfRequest(
    headers[propertyHeader] as string | undefined,
    parameters.get('property'),
  );
  if ('status' in property) return errorAnswer(property);
  request.property = property;
  return undefined;
}

/** What URL and header say of how to write; undefined if they say nothing. */
function wordsOfRequest(
  parameters: ReadonlyMap<string, string>,
  durability: string | string[] | undefined,
): WriteWords | ErrorReply | undefined {
  const ofUrl = wordsOfParameters(parameters);
  if (durability === undefined || (ofUrl !== undefined && 'status' in ofUrl)) return ofUrl;
  const ofHeader = wordsOfMembers({ durability });
  return ofHeader !== undefined && 'status' in ofHeader ? ofHeader : joinWords(ofUrl, ofHeader);
}

async function writeDurably(
  durable: DurableWrites | undefined,
  property: PropertyName,
  items: readonly AcceptedItem[],
  records: readonly EventRecord[],
  asked: AskedDurability,
): Promise<Answer> {
  if (durable === undefined) return unsupported(asked, 'this collector was made without it');
  const answer = await durable.write(property, items, records, asked);
  return typeof answer === 'string' ? refusals[answer] : answer;
}

export function queryOf(request: CollectorRequest): string {
  const url = request.url ?? '';
  const questionMark = url.indexOf('?');
  return questionMark < 0 ? '' : url.slice(questionMark + 1);
}

function outcomeAnswer(items: readonly AcceptedItem[], outcomes: readonly CommitOutcome[]): Answer {
  const answer = writeAnswer(items, outcomes);
  return answer === oneAccepted ? oneAcceptedPrepared : answer;
}

/** How the body and the URL together want a write to be written. */
function modeOf(
  accepted: AcceptedItem[] | AcceptedWrite,
  ofUrl: WriteWords | undefined,
): WriteMode | ErrorReply {
  const ofBody = Array.isArray(accepted) ? undefined : accepted.words;
  if (ofUrl === undefined && ofBody === undefined) return 'store';
  const words = joinWords(ofUrl, ofBody) ?? {};
  return 'status' in words ? words : writeModeOf(words);
}

const itemsOf = (accepted: AcceptedItem[] | AcceptedWrite): AcceptedItem[] =>
  Array.isArray(accepted) ? accepted : accepted.items;

function recordsOf(items: readonly AcceptedItem[], counts: EventCounts | undefined): readonly EventRecord[] {
  const isAllGood = items.length === 1 && typeof items[0] !== 'string';
  if (isAllGood) return items as readonly EventRecord[];
  counts?.refused(items);
  return items.filter((item) => typeof item !== 'string');
}

/** Answers a request of the direct path when its write is settled. */
class DirectWriter implements Writer {
  readonly #items: readonly AcceptedItem[];
  readonly #reply: PendingReply;
  readonly #failure: (thrown: unknown, clientId: string | undefined) => Answer;

  constructor(
    items: readonly AcceptedItem[],
    reply: PendingReply,
    failure: (thrown: unknown, clientId: string | undefined) => Answer,
  ) {
    this.#items = items;
    this.#reply = reply;
    this.#failure = failure;
  }

  stored(outcomes: readonly CommitOutcome[]): void {
    let answer: Answer;
    try {
      answer = outcomeAnswer(this.#items, outcomes);
    } catch (thrown) {
      answer = this.#failure(thrown, this.#reply.requestId);
    }
    this.#reply.answer(answer);
  }

  failed(thrown: unknown): void {
    this.#reply.answer(this.#failure(thrown, this.#reply.requestId));
  }
}

const propertiesKept = 1000;

/** What the property's header says, read once for each value: nearly all requests name the same few. */
export class PropertyOfHeader {
  readonly #known = new Map<string | undefined, PropertyName>();

  get(text: string | undefined): PropertyName | ErrorReply {
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    const property = propertyOfRequest(text, undefined);
    if ('status' in property) return property;
    if (this.#known.size >= propertiesKept) this.#known.clear();
    this.#known.set(text, property);
    return property;
  }
}
