/**
 * Who the run is to its target: logs in before the first visitor, and keeps a valid token while the run lasts.
 *
 * States: open (nobody logs in) for ever; or valid -> renewing -> valid, before the token's time is half over and
 * whenever the target refuses it; from renewing to refused, when the login itself is, and no further try is made: ten
 * wrong passwords would keep the user out for minutes.
 */
import { CrowdbeatError, messageOf } from '../../server/base/errors.ts';
import { ask, refusalIn } from '../targets/ask.ts';
import type { Bearer, Credentials } from '../targets/credentials.ts';

export interface TargetAccessOptions extends Credentials {
  readonly url: URL;
  /** Life of a token. Default one hour. */
  readonly ttlMs?: number | undefined;
}

const ttlDefaultMs = 3_600_000;
const loginTimeoutMs = 15_000;
/** After a login that the target did not answer. */
const againMs = 1000;

export class TargetAccess implements Bearer {
  readonly key: string | undefined;
  /** Told each new token. */
  onToken: (token: string) => void = () => undefined;
  /** Told once, why there will be no further token. */
  onRefused: (why: string) => void = () => undefined;
  readonly #options: TargetAccessOptions;
  #token: string | undefined;
  #renewing: Promise<void> | undefined;
  #isRefused = false;
  #isClosed = false;
  #timer: NodeJS.Timeout | undefined;

  private constructor(options: TargetAccessOptions) {
    this.#options = options;
    this.key = options.key;
  }

  /** Logs in, if there is a user. Throws CB_REFUSED if the target refuses it, CB_TARGET_UNREACHABLE. */
  static async open(options: TargetAccessOptions): Promise<TargetAccess> {
    const access = new TargetAccess(options);
    if (options.username !== undefined) access.#keep(await access.#login());
    return access;
  }

  get token(): string | undefined {
    return this.#token;
  }

  /** Callers at the same time share one login; whoever comes with a token of yesterday is told today's. */
  renew(refused: string): Promise<void> {
    if (this.#options.username === undefined || this.#isRefused || this.#isClosed) return Promise.resolve();
    if (this.#token !== undefined && refused !== this.#token) {
      this.onToken(this.#token);
      return Promise.resolve();
    }
    this.#renewing ??= this.#renew().finally(() => {
      this.#renewing = undefined;
    });
    return this.#renewing;
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  async #renew(): Promise<void> {
    try {
      this.#keep(await this.#login());
    } catch (error) {
      if (error instanceof CrowdbeatError && error.code === 'CB_REFUSED') {
        this.#isRefused = true;
        clearTimeout(this.#timer);
        this.onRefused(messageOf(error));
      } else this.#renewIn(againMs);
    }
  }

  #keep(token: string): void {
    this.#token = token;
    this.#renewIn((this.#options.ttlMs ?? ttlDefaultMs) / 2);
    this.onToken(token);
  }

  #renewIn(ms: number): void {
    clearTimeout(this.#timer);
    if (this.#isClosed) return;
    this.#timer = setTimeout(() => void this.renew(this.#token ?? ''), ms).unref();
  }

  async #login(): Promise<string> {
    const { url, username = '', password = '', ttlMs = ttlDefaultMs } = this.#options;
    const body = new URLSearchParams({ username, password, ttl: String(ttlMs) }).toString();
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const reply = await ask({ url, path: '/auth', headers, body, timeoutMs: loginTimeoutMs }).catch(
      (error: unknown) => {
        const why = `target ${url.href}: POST /auth ${messageOf(error)}`;
        throw new CrowdbeatError('CB_TARGET_UNREACHABLE', why, { cause: error });
      },
    );
    // A token stands in a header: what is no visible ASCII is none.
    if (reply.status === 200 && /^[\x21-\x7e]{1,4096}$/.test(reply.text.trim())) return reply.text.trim();
    // The words of a success that is no token may be anything, a secret too.
    const said = reply.status === 200 ? 'its answer is no token' : refusalIn(reply);
    const isPassing = reply.status === 429 || reply.status >= 500;
    throw new CrowdbeatError(
      isPassing ? 'CB_TARGET_UNREACHABLE' : 'CB_REFUSED',
      `login of ${JSON.stringify(username)} at ${url.href}: ${said}`,
    );
  }
}
