/** A closed collector with admins of several accounts, and requests to it as this or that user. */
import { makeFirstAdmin } from '../access/first-admin.ts';
import { PasswordHasher } from '../access/password.ts';
import { systemClock } from '../base/clock.ts';
import { startTestCollector, type TestCollector } from '../main/collector.testing.ts';
import type { CollectorOptions } from '../main/collector.ts';

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Parsed, or undefined if the text is no JSON. */
  readonly json: unknown;
}

export interface Asked {
  readonly token?: string;
  readonly key?: string;
  readonly property?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as a form. */
  readonly form?: Readonly<Record<string, string>>;
  /** Sent as it is. */
  readonly body?: string;
}

export const password = 'correct horse battery';
/** A real one takes 0.2 s of a core. */
const cheap = { logN: 4, r: 8, p: 1 };

export class AccessTest {
  readonly test: TestCollector;

  constructor(test: TestCollector) {
    this.test = test;
  }

  get url(): string {
    return this.test.collector.url;
  }

  /** GET without a form or body, else POST. */
  async ask(path: string, { token, key, property, headers, form, body }: Asked = {}): Promise<Reply> {
    const latin1 = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');
    const content = form === undefined ? body : new URLSearchParams(form);
    const reply = await fetch(this.url + path, {
      ...(content === undefined ? {} : { method: 'POST', body: content }),
      headers: {
        ...(token === undefined ? {} : { 'm1-auth-token': token }),
        ...(key === undefined ? {} : { 'x-crowdbeat-key': key }),
        ...(property === undefined ? {} : { 'x-crowdbeat-property': latin1(property) }),
        ...headers,
      },
    });
    const text = await reply.text();
    return { status: reply.status, headers: reply.headers, text, json: jsonOf(text) };
  }

  /** Logs in and gives the token. */
  async login(username: string, secret = password): Promise<string> {
    const reply = await this.ask('/auth', { form: { username, password: secret } });
    if (reply.status !== 200) throw new Error(`no token for ${username}: ${reply.text}`);
    return reply.text;
  }

  /** Makes a user of the admin's account and logs it in. */
  async user(admin: string, account: string, username: string, rights: unknown): Promise<string> {
    const form = { username, password, rights: JSON.stringify(rights) };
    const reply = await this.ask('/user/add', { token: admin, form });
    if (reply.status !== 204) throw new Error(`no user ${username}: ${reply.text}`);
    return this.login(`${account}/${username}`);
  }

  /** Asks until the status comes; the collector may believe what it knew for two seconds. */
  async until(status: number, ask: () => Promise<Reply>): Promise<Reply> {
    const endMs = systemClock.monotonicMs() + 10_000;
    for (;;) {
      const reply = await ask();
      if (reply.status === status) return reply;
      if (systemClock.monotonicMs() > endMs)
        throw new Error(`still ${reply.status}, not ${status}: ${reply.text}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  async documents(token: string, property: string): Promise<number> {
    const { json } = await this.ask(`/totals?property=${encodeURIComponent(property)}`, { token });
    return (json as { documents: number }).documents;
  }
}

/** One event, as a body. */
export const eventBody = (visitor = 'v'): string =>
  JSON.stringify({ event: { type: 'view' }, visitor: { id: visitor } });

/** Each account gets an admin `admin` and the property `site`. */
export async function startClosed(
  accounts: readonly string[] = ['demo'],
  options: Partial<CollectorOptions> = {},
): Promise<AccessTest> {
  const test = await startTestCollector({ access: 'closed', passwordCost: cheap, ...options });
  const hasher = new PasswordHasher(cheap);
  for (const account of accounts)
    await makeFirstAdmin(
      test.redis.connection,
      systemClock,
      { account, username: 'admin', password },
      hasher,
    );
  return new AccessTest(test);
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not every reply is JSON: a token isn't.
    return undefined;
  }
}
