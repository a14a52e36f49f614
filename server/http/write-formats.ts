/**
 * The other forms that the body of `POST /write` may have, beside plain JSON (the hot path, which never comes
 * here): form fields as MinusOneDB's clients send them, NDJSON, and each of them compressed by gzip.
 *
 *   application/json, text/plain, none     {"items":[…]}, […] or one event
 *   application/x-www-form-urlencoded      items=[…]&property=account/property
 *   application/x-ndjson                   one event per line
 */
import { Buffer, isUtf8 } from 'node:buffer';
import { propertyOfRequest } from '../access/property-of-request.ts';
import { type AcceptedItem, type AcceptedWrite, acceptBody } from '../ingest/accept.ts';
import { acceptLines } from '../ingest/accept-lines.ts';
import type { Receipt } from '../ingest/enrich.ts';
import { joinWords, wordsOfParameters, writeWordNames } from '../ingest/write-words.ts';
import { propertyHeader } from '../protocol/property.ts';
import type { ErrorReply } from '../protocol/replies.ts';
import { inflate } from './inflate.ts';
import { parseQuery } from './query-string.ts';
import type { CollectorRequest } from './request.ts';

export interface WriteFormat {
  readonly body: 'json' | 'form' | 'lines';
  readonly isGzip: boolean;
}

const bodies: Readonly<Record<string, WriteFormat['body']>> = {
  'application/json': 'json',
  // What navigator.sendBeacon sends; it can't say application/json to another origin without being asked first.
  'text/plain': 'json',
  'application/x-www-form-urlencoded': 'form',
  'application/x-ndjson': 'lines',
  'application/ndjson': 'lines',
};

/** What the URL of a write may say. `publish` and `async` are MinusOneDB's. */
export const writeParameters: readonly string[] = ['property', ...writeWordNames];
const formFields: readonly string[] = ['items', ...writeParameters];

/** The format that the headers announce; undefined for plain JSON; or the reply that refuses it. */
export function writeFormatOf(
  contentType: string | undefined,
  encoding: string | undefined,
): WriteFormat | ErrorReply | undefined {
  const name = contentType?.split(';', 1)[0]?.trim().toLowerCase() ?? 'application/json';
  const body = Object.hasOwn(bodies, name) ? bodies[name] : undefined;
  if (body === undefined) return unsupported(`content-type "${contentType?.slice(0, 100)}"`);
  const coding = encoding?.trim().toLowerCase() ?? 'identity';
  const isGzip = coding === 'gzip' || coding === 'x-gzip';
  if (!isGzip && coding !== 'identity') return unsupported(`content-encoding "${encoding?.slice(0, 100)}"`);
  return body === 'json' && !isGzip ? undefined : { body, isGzip };
}

function unsupported(what: string): ErrorReply {
  const types = Object.keys(bodies).join(', ');
  const message = `${what} is not supported: send ${types}, plain or compressed by gzip`;
  return { status: 415, code: 'unsupported_media_type', message };
}

/**
 * The events of a body, as `acceptBody` gives them. A form may name the property; then the request's is changed.
 * @param query what stands behind the `?` of the URL
 */
export async function acceptFormatted(
  request: CollectorRequest,
  format: WriteFormat,
  body: Buffer,
  query: string,
  receipt: Receipt,
): Promise<AcceptedItem[] | AcceptedWrite | ErrorReply> {
  const plain = format.isGzip ? await inflate(body) : body;
  if ('status' in plain) return plain;
  if (format.body === 'lines') return acceptLines(plain, receipt);
  return format.body === 'form' ? acceptForm(request, plain, query, receipt) : acceptBody(plain, receipt);
}

async function acceptForm(
  request: CollectorRequest,
  body: Buffer,
  query: string,
  receipt: Receipt,
): Promise<AcceptedItem[] | AcceptedWrite | ErrorReply> {
  if (!isUtf8(body)) return { status: 400, code: 'not_utf8', message: 'the body is not UTF-8' };
  const fields = parseQuery(body.toString('utf8'), formFields);
  if ('status' in fields) return fields;
  const items = fields.get('items');
  if (items === undefined)
    return {
      status: 400,
      code: 'bad_body',
      message: 'the form has no field "items" with the events as JSON',
    };
  const problem = await readFormProperty(request, fields.get('property'), query);
  if (problem !== undefined) return problem;
  const ofFields = wordsOfParameters(fields);
  if (ofFields !== undefined && 'status' in ofFields) return ofFields;
  const accepted = acceptBody(Buffer.from(items), receipt);
  if ('status' in accepted || ofFields === undefined) return accepted;
  const words = Array.isArray(accepted) ? ofFields : joinWords(ofFields, accepted.words);
  if (words === undefined || 'status' in words) return words ?? accepted;
  return { items: Array.isArray(accepted) ? accepted : accepted.items, words };
}

/** Header, query and form may all name the property, if they say the same. */
async function readFormProperty(
  request: CollectorRequest,
  field: string | undefined,
  query: string,
): Promise<ErrorReply | undefined> {
  if (field === undefined) return undefined;
  const inQuery = parseQuery(query, writeParameters);
  if ('status' in inQuery) return inQuery;
  const parameter = inQuery.get('property');
  if (parameter !== undefined && parameter !== field) {
    const message = `property= says "${parameter}" in the URL but "${field}" in the form`;
    return { status: 400, code: 'bad_property', message };
  }
  // On a closed collector the header says what was granted, whether or not the client sent one.
  const header = request.isPropertyNamed ? request.headers[propertyHeader] : undefined;
  const property = propertyOfRequest(header as string | undefined, field);
  if ('status' in property) return property;
  const refusal = await request.admission?.another(request, property);
  if (refusal === undefined) request.property = property;
  return refusal;
}
