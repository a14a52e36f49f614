/** How replies are written. Every request gets exactly one, by one of the functions here. */
import type { ErrorReply } from '../protocol/replies.ts';
import type { CollectorRequest, Response } from './request.ts';

/** A reply as a route gives it. */
export interface Answer {
  readonly status: number;
  readonly json: string;
  /** Content type, if the text is no JSON after all. */
  readonly type?: string;
  /** Further headers, name and value by turns. */
  readonly headers?: readonly string[];
  /** All headers, for an answer that is given again and again; see `prepared`. */
  readonly allHeaders?: string[];
}

/** The same answer with its headers made once and not for each request. */
export function prepared(answer: Answer): Answer {
  return { ...answer, allHeaders: headersOf(answer) };
}

export const retryAfter: readonly string[] = ['retry-after', '1'];

export function errorAnswer(error: ErrorReply, headers?: readonly string[]): Answer {
  const json = JSON.stringify({ status: error.status, code: error.code, message: error.message });
  return headers === undefined ? { status: error.status, json } : { status: error.status, json, headers };
}

/** Writes the reply and keeps the connection. The client may be gone by now; then nobody reads it. */
export function send(response: Response, answer: Answer): void {
  response.writeHead(answer.status, answer.allHeaders ?? headersOf(answer));
  response.end(answer.json);
}

export function headersOf({ status, json, type = 'application/json', headers = [] }: Answer): string[] {
  // A 204 has no body, and must not say how long it is (RFC 9110 section 8.6).
  if (status === 204) return [...headers];
  return ['content-type', type, 'content-length', String(Buffer.byteLength(json)), ...headers];
}

const discardMsMax = 1000;
const discardBytesMax = 4 * 1_048_576;

/**
 * Refuses a request whose body will not be read to its end, and closes the connection. The client may still
 * be sending: closing at once would answer its bytes with a reset, and the reset can overtake the reply. So
 * the reply goes out, what still comes is thrown away for a while (1 s, 4 MiB), and then the socket closes.
 */
export function sendAndClose(request: CollectorRequest, response: Response, answer: Answer): void {
  response.shouldKeepAlive = false;
  if (request.complete) {
    send(response, answer);
    return;
  }
  response.writeHead(answer.status, headersOf(answer));
  response.write(answer.json);
  let discardedBytes = 0;
  const giveUp = setTimeout(() => request.socket.destroy(), discardMsMax);
  request.removeAllListeners('data');
  request.removeAllListeners('end');
  request.on('data', (chunk: Buffer) => {
    discardedBytes += chunk.length;
    if (discardedBytes > discardBytesMax) request.socket.destroy();
  });
  request.on('end', () => response.end());
  response.on('close', () => clearTimeout(giveUp));
  request.resume();
}

/** Answers a request whose body, if it has one, was not read: a body of bounded size is skipped, any other ends the connection. */
export function sendUnread(
  request: CollectorRequest,
  response: Response,
  answer: Answer,
  bodyBytesMax: number,
): void {
  const isEndless = request.headers['transfer-encoding'] !== undefined;
  const announcedBytes = Number(request.headers['content-length'] ?? 0);
  if (isEndless || announcedBytes > bodyBytesMax) sendAndClose(request, response, answer);
  else send(response, answer);
}
