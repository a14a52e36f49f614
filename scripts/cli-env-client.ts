/**
 * Asks the collector of an environment. Where it wants a token and none is known, the admin of the embedded Redis logs
 * in, if the collector is on this machine and the environment is of that account: so a first start needs no setup.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CrowdbeatError, systemCodeOf } from '../server/base/errors.ts';
import { formatPropertyName } from '../server/protocol/property.ts';
import type { KnownEnvironment } from './cli-env-book.ts';
import {
  type CollectorQuestion,
  type CollectorReply,
  refusalOf,
  replyOfCollector,
} from './collector-client.ts';
import { findHome } from './home.ts';

export type EnvironmentQuestion = Pick<CollectorQuestion, 'path' | 'form' | 'query'>;

/** Of a token that is used at once. */
const tokenTtlMs = 60_000;

const thisMachine = /^(127(\.\d{1,3}){3}|\[::1\]|localhost)$/;

export class EnvironmentClient {
  readonly #place: KnownEnvironment;
  #token: string | undefined;

  constructor(place: KnownEnvironment) {
    this.#place = place;
    this.#token = place.token;
  }

  /** The reply, whatever it says. `isPropertyless`: the question is about the account. */
  async reply(question: EnvironmentQuestion, isPropertyless = false): Promise<CollectorReply> {
    const { server, property } = this.#place;
    const whole = {
      ...question,
      server,
      property: isPropertyless ? undefined : formatPropertyName(property),
    };
    const reply = await replyOfCollector({ ...whole, token: this.#token });
    const isWanting = reply.status === 401 && this.#token === undefined && question.path !== '/auth';
    if (!isWanting) return reply;
    this.#token = await this.#logInHere();
    return this.#token === undefined ? reply : replyOfCollector({ ...whole, token: this.#token });
  }

  /** The token that was needed, if one was. */
  get token(): string | undefined {
    return this.#token;
  }

  async #logInHere(): Promise<string | undefined> {
    const { server, property } = this.#place;
    const path = join(findHome().state, 'admin.json');
    const admin = thisMachine.test(new URL(server).hostname) ? readAdmin(path) : undefined;
    if (admin?.account !== property.account) return undefined;
    const { account, username, password } = admin;
    const form = { account, username, password, ttl: String(tokenTtlMs) };
    const { status, text } = await replyOfCollector({ server, path: '/auth', form });
    if (status === 200) return text;
    throw new CrowdbeatError(
      'CB_REFUSED',
      `auth with the password in ${path}: ${refusalOf(text)} (${status})`,
    );
  }
}

interface Admin {
  readonly account: string;
  readonly username: string;
  readonly password: string;
}

function readAdmin(path: string): Admin | undefined {
  try {
    const admin = JSON.parse(readFileSync(path, 'utf8')) as Partial<Admin>;
    const { account, username, password } = admin;
    if (typeof account === 'string' && typeof username === 'string' && typeof password === 'string')
      return { account, username, password };
  } catch (thrown) {
    // Nothing was ever started here, or not with a password of its own.
    if (systemCodeOf(thrown) === 'ENOENT') return undefined;
  }
  throw new CrowdbeatError('CB_FILE', `${path}: can’t be read as the credentials of an admin`);
}
