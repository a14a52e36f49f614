/**
 * Bytes that are no HTTP request, or a request that takes too long: node:http gives the bare socket, so the
 * reply is written by hand, and the connection ends with it.
 */
import type { Socket } from 'node:net';
import { errorAnswer } from './answer.ts';
import { noRequest, type RequestCounts } from './request-counts.ts';

const statusOf: Record<string, readonly [status: number, phrase: string, code: string, message: string]> = {
  ERR_HTTP_REQUEST_TIMEOUT: [
    408,
    'Request Timeout',
    'request_timeout',
    'the request took too long to arrive',
  ],
  HPE_HEADER_OVERFLOW: [
    431,
    'Request Header Fields Too Large',
    'headers_too_large',
    'the headers are larger than 16384 bytes',
  ],
};

const malformed = [400, 'Bad Request', 'bad_request', 'this is no valid HTTP/1.1 request'] as const;

/** Time for the client to read the reply before the connection is cut. */
const farewellMs = 500;

/**
 * @param owesEarlierReply a pipelined request before this one still waits for its reply. Whatever is written
 *   now would be taken for that reply, so nothing is: the client learns that the connection broke.
 */
export function answerClientError(
  error: NodeJS.ErrnoException,
  socket: Socket,
  owesEarlierReply: boolean,
  counts: RequestCounts,
): void {
  if (socket.writableEnded) return;
  if (!socket.writable || owesEarlierReply || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const [status, phrase, code, message] = statusOf[error.code ?? ''] ?? malformed;
  counts.add(noRequest, status);
  const { json } = errorAnswer({ status, code, message });
  const head = `HTTP/1.1 ${status} ${phrase}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(json)}`;
  socket.end(`${head}\r\nconnection: close\r\n\r\n${json}`);
  setTimeout(() => socket.destroy(), farewellMs).unref();
}
