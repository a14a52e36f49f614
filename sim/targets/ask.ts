/**
 * One request of the run itself, beside the crowd's: a login, a look before the run, a question of the audit.
 *
 * On node:http and not `fetch`, which refuses some forty ports (6000, 10080 …) that a collector may well have.
 */
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';

export interface Question {
  /** The target; a path in it becomes a prefix. */
  readonly url: URL;
  /** Path and query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  /** Sent by POST; without one it is a GET. */
  readonly body?: string | undefined;
}

export interface TextReply {
  readonly status: number;
  readonly text: string;
}

/** The whole answer; rejects with the system's error, or when the time is over. */
export function ask({ url, path, headers, timeoutMs, body }: Question): Promise<TextReply> {
  return new Promise((resolve, reject) => {
    const address = new URL(`${url.href.replace(/\/$/, '')}${path}`);
    const send = address.protocol === 'https:' ? httpsRequest : httpRequest;
    const signal = AbortSignal.timeout(timeoutMs);
    const method = body === undefined ? 'GET' : 'POST';
    const request = send(address, { method, headers, signal }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }),
      );
      response.on('error', reject);
    });
    request.on('error', (error) =>
      reject(signal.aborted ? new Error(`no answer within ${timeoutMs} ms`) : error),
    );
    request.end(body);
  });
}

/** What a refusal says, or the beginning of whatever it is. */
export function refusalIn({ status, text }: TextReply): string {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && 'message' in value)
      return `${status}: ${String(value.message).slice(0, 300)}`;
  } catch {
    // Not JSON: shown as it is.
  }
  return `${status} ${text.slice(0, 200)}`.trim();
}
