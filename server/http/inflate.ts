/**
 * gzip bodies. What counts is what comes out: the limit of a body holds for the inflated bytes, and inflating
 * stops there, so that a kilobyte that would become a gigabyte costs no more than any other megabyte.
 */
import { gunzip } from 'node:zlib';
import { systemCodeOf } from '../base/errors.ts';
import { limits } from '../protocol/limits.ts';
import type { ErrorReply } from '../protocol/replies.ts';

const tooLarge: ErrorReply = {
  status: 413,
  code: 'too_large',
  message: `a body holds at most ${limits.bodyBytesMax} bytes, also when it came compressed and is inflated`,
};

const badGzip: ErrorReply = {
  status: 400,
  code: 'bad_gzip',
  message: 'the body is not gzip, or it ends too early',
};

/** libuv inflates four at a time anyway; the others wait with their small bodies and not with a megabyte each. */
const inflatingMax = 8;
const chunkBytes = 65_536;

let inflating = 0;
const waiting: (() => void)[] = [];

/** The inflated body, or the reply that refuses it. */
export async function inflate(body: Buffer): Promise<Buffer | ErrorReply> {
  if (inflating === inflatingMax) await new Promise<void>((resolve) => waiting.push(resolve));
  else inflating += 1;
  try {
    return await gunzipBounded(body);
  } finally {
    // Hands its place on, so that nobody who comes in between can take it too.
    const next = waiting.shift();
    if (next === undefined) inflating -= 1;
    else next();
  }
}

function gunzipBounded(body: Buffer): Promise<Buffer | ErrorReply> {
  return new Promise((resolve) => {
    gunzip(body, { maxOutputLength: limits.bodyBytesMax, chunkSize: chunkBytes }, (error, inflated) => {
      if (error === null) resolve(inflated);
      else resolve(systemCodeOf(error) === 'ERR_BUFFER_TOO_LARGE' ? tooLarge : badGzip);
    });
  });
}
