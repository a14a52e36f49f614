/**
 * The id of a request, by which a client, a proxy and the log speak of the same one: what `x-request-id` says if it
 * is fit for a log and a header, otherwise one of our own when there is something to tell.
 */
import { randomUUID } from 'node:crypto';
import type { Answer } from './answer.ts';

export const requestIdHeader = 'x-request-id';

/** No spaces, quotes or line breaks: it is written into headers and log lines. */
const sane = /^[\w.:/+=-]{1,128}$/;

/** The client's id; undefined if there is none, or none that can be repeated. */
export function saneRequestId(header: string | string[] | undefined): string | undefined {
  return typeof header === 'string' && sane.test(header) ? header : undefined;
}

export const makeRequestId = (): string => randomUUID();

/** The same answer, with the id among its headers if there is one and none is there yet. */
export function withRequestId(answer: Answer, id: string | undefined): Answer {
  const { status, json, headers = [] } = answer;
  if (id === undefined || headers.includes(requestIdHeader)) return answer;
  return { status, json, headers: [...headers, requestIdHeader, id] };
}
