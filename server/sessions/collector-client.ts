/**
 * Requests to a collector that may ask who is there. Without a user, and as long as the collector is content, no
 * token is sent; after a 401 one is fetched from `POST /auth` and kept until the next 401.
 */
import { CrowdbeatError, messageOf } from '../base/errors.ts';
import { formatPropertyName, type PropertyName, propertyHeader } from '../protocol/property.ts';

export interface CollectorClientOptions {
  readonly server: URL;
  /** Undefined: the collector's own choice. */
  readonly property: PropertyName | undefined;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** A token that is at hand already. */
  readonly token?: string | undefined;
}

export interface PostOptions {
  /** Statuses of failure whose reply is an answer all the same. */
  readonly allowed?: readonly number[] | undefined;
  /** User-Agent. */
  readonly agent?: string | undefined;
}

export interface ClientReply {
  readonly status: number;
  readonly text: string;
}

const requestTimeoutMs = 30_000;
/** Statuses that pass by themselves. */
const passing = [408, 429, 502, 503, 504];

export class CollectorClient {
  readonly #options: CollectorClientOptions;
  #token: string | undefined;

  constructor(options: CollectorClientOptions) {
    this.#options = options;
    this.#token = options.token;
  }

  /** A form when `body` is one, else JSON. Throws CB_TARGET_UNREACHABLE (try again later) or CB_REFUSED. */
  async post(path: string, body: URLSearchParams | object, options: PostOptions = {}): Promise<string> {
    const { allowed = [], agent } = options;
    let reply = await this.#send(path, body, agent);
    if (reply.status === 401 && this.#options.username !== undefined) {
      this.#token = await this.#authenticate();
      reply = await this.#send(path, body, agent);
    }
    if ((reply.status >= 200 && reply.status < 300) || allowed.includes(reply.status)) return reply.text;
    throw failureOf(`POST ${path}`, reply);
  }

  /** The same with the reply read as JSON. */
  async postJson(path: string, body: URLSearchParams | object, options?: PostOptions): Promise<unknown> {
    const text = await this.post(path, body, options);
    try {
      return JSON.parse(text) as unknown;
    } catch {
      // SyntaxError is all that JSON.parse throws: something else than a collector answered.
      throw new CrowdbeatError('CB_TARGET_UNREACHABLE', `POST ${path}: the reply is not JSON`);
    }
  }

  async #authenticate(): Promise<string> {
    const { username = '', password = '' } = this.#options;
    const reply = await this.#send('/auth', new URLSearchParams({ username, password }));
    if (reply.status === 200 && reply.text.trim() !== '') return reply.text.trim();
    throw failureOf('POST /auth', reply);
  }

  async #send(path: string, body: URLSearchParams | object, agent = 'crowdbeat'): Promise<ClientReply> {
    const { server, property } = this.#options;
    const isForm = body instanceof URLSearchParams;
    const headers: Record<string, string> = {
      'content-type': isForm ? 'application/x-www-form-urlencoded' : 'application/json',
      'user-agent': agent,
    };
    if (property !== undefined) headers[propertyHeader] = utf8Header(formatPropertyName(property));
    if (this.#token !== undefined) headers['m1-auth-token'] = this.#token;
    const url = new URL(server.pathname.replace(/\/$/, '') + path, server);
    try {
      const reply = await fetch(url, {
        method: 'POST',
        headers,
        body: isForm ? body.toString() : JSON.stringify(body),
        signal: AbortSignal.timeout(requestTimeoutMs),
        redirect: 'manual',
      });
      return { status: reply.status, text: await reply.text() };
    } catch (thrown) {
      const cause = thrown instanceof Error && thrown.cause !== undefined ? thrown.cause : thrown;
      const message = `the collector at ${server.origin} does not answer: ${messageOf(cause) || String(cause)}`;
      throw new CrowdbeatError('CB_TARGET_UNREACHABLE', message, { cause: thrown });
    }
  }
}

/** Headers are bytes; fetch takes them as Latin-1. */
function utf8Header(text: string): string {
  return Buffer.from(text).toString('latin1');
}

function failureOf(what: string, { status, text }: ClientReply): CrowdbeatError {
  const code = passing.includes(status) || status >= 500 ? 'CB_TARGET_UNREACHABLE' : 'CB_REFUSED';
  return new CrowdbeatError(code, `${what}: ${status} ${messageIn(text)}`.trim());
}

/** The message of an error reply, or the beginning of whatever it is. */
function messageIn(text: string): string {
  try {
    const { message } = JSON.parse(text) as { message?: unknown };
    if (typeof message === 'string') return message.slice(0, 500);
  } catch {
    // Not JSON: shown as it is.
  }
  return text.slice(0, 200).replaceAll(/\s+/g, ' ');
}
