/**
 * Reads a request body into one Buffer, counting while it streams.
 *
 * Hot path: the listeners are made once per route and find everything in the request, so that a request
 * allocates no closures; a body that came in one piece (the usual case) is not copied.
 */
import { Buffer } from 'node:buffer';
import { limits } from '../protocol/limits.ts';
import { type Answer, errorAnswer, sendAndClose } from './answer.ts';
import type { CollectorRequest, Response } from './request.ts';

const tooLarge: Answer = errorAnswer({
  status: 413,
  code: 'too_large',
  message: `a body holds at most ${limits.bodyBytesMax} bytes`,
});

const noBytes = Buffer.alloc(0);

/**
 * Makes the function that reads the body of a request and calls `onBody` with it, once. A body over the
 * limit is answered 413 and never gets there; neither does one whose client went away in the middle.
 */
export function bodyReader(
  onBody: (request: CollectorRequest, response: Response, body: Buffer) => void,
): (request: CollectorRequest, response: Response) => void {
  function onData(this: CollectorRequest, chunk: Buffer): void {
    this.bodyBytes += chunk.length;
    if (this.bodyBytes > limits.bodyBytesMax) {
      this.chunks = undefined;
      sendAndClose(this, this.response as Response, tooLarge);
    } else if (this.chunks === undefined) this.chunks = chunk;
    else if (Array.isArray(this.chunks)) this.chunks.push(chunk);
    else this.chunks = [this.chunks, chunk];
  }

  function onEnd(this: CollectorRequest): void {
    const { chunks = noBytes } = this;
    this.chunks = undefined;
    onBody(this, this.response as Response, Array.isArray(chunks) ? Buffer.concat(chunks) : chunks);
  }

  return (request, response) => {
    if (Number(request.headers['content-length'] ?? 0) > limits.bodyBytesMax) {
      sendAndClose(request, response, tooLarge);
      return;
    }
    request.response = response;
    request.on('data', onData);
    request.on('end', onEnd);
  };
}
