/** One request, with what this server keeps about it in the object that node:http makes anyway. */
import { IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Grant } from '../access/authorize.ts';
import type { Sender } from '../ingest/enrich/enricher.ts';
import type { WriteWords } from '../ingest/write-words.ts';
import { defaultProperty, type PropertyName } from '../protocol/property.ts';
import type { Admission } from './admission.ts';
import { otherRoute } from './request-counts.ts';
import type { WriteFormat } from './write-formats.ts';

export type Response = ServerResponse<CollectorRequest>;

export class CollectorRequest extends IncomingMessage {
  /** Set when the request is handed to a route. */
  response: Response | undefined = undefined;
  property: PropertyName = defaultProperty;
  /** False if the client left it to the collector which property its request is for. */
  isPropertyNamed = true;
  /** What the request may do; undefined on routes that ask for nothing. */
  grant: Grant | undefined = undefined;
  admission: Admission | undefined = undefined;
  /** What its route asks for, and the `key=` of its URL. */
  right = 'none';
  scope: 'account' | undefined = undefined;
  publishKey: string | undefined = undefined;
  /** Path of the route that it went to, for the counts. */
  route: string = otherRoute;
  /** Body read so far: nothing, the only chunk (the usual case), or several. */
  chunks: Buffer | Buffer[] | undefined = undefined;
  bodyBytes = 0;
  /** How the body of a write is to be read; undefined for plain JSON. */
  format: WriteFormat | undefined = undefined;
  /** How the URL wants a write to be written; undefined if it doesn't say. */
  words: WriteWords | undefined = undefined;
}

/** `::ffff:10.0.0.7` is the IPv4 address 10.0.0.7, seen by a socket that listens on both. */
export function ipOf(socket: Socket): string {
  const address = socket.remoteAddress ?? 'unknown';
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}

/** Who sent a request, as far as its connection and headers say. node:http joins a header that came twice. */
export function senderOf(request: IncomingMessage): Sender {
  const { headers } = request;
  return {
    peer: ipOf(request.socket),
    forwardedFor: headers['x-forwarded-for'] as string | undefined,
    agent: headers['user-agent'],
  };
}

export const clientIp = (request: IncomingMessage): string => ipOf(request.socket);
