/** One request, with what this server keeps about it in the object that node:http makes anyway. */
import { IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { defaultProperty, type PropertyName } from '../protocol/property.ts';
import type { WriteFormat } from './write-formats.ts';

export type Response = ServerResponse<CollectorRequest>;

export class CollectorRequest extends IncomingMessage {
  /** Set when the request is handed to a route. */
  response: Response | undefined = undefined;
  property: PropertyName = defaultProperty;
  /** Body read so far: nothing, the only chunk (the usual case), or several. */
  chunks: Buffer | Buffer[] | undefined = undefined;
  bodyBytes = 0;
  /** How the body of a write is to be read; undefined for plain JSON. */
  format: WriteFormat | undefined = undefined;
}

/** `::ffff:10.0.0.7` is the IPv4 address 10.0.0.7, seen by a socket that listens on both. */
export function ipOf(socket: Socket): string {
  const address = socket.remoteAddress ?? 'unknown';
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}

export const clientIp = (request: IncomingMessage): string => ipOf(request.socket);
