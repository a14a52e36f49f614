/**
 * Which collector and property an environment's name means: `.crowdbeat/environments.json`, a file that only its owner
 * can read, since it holds tokens.
 *
 *   {"shop-acme": {"server": "http://127.0.0.1:7070", "property": "acme/shop", "username": "admin", "token": "…"}}
 *
 * An environment that the file has is taken from there. One that it doesn't have means the property that its name
 * says, of the collector of CROWDBEAT_SERVER; `site-demo`, which is there from the first start on, needs not even that.
 */
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { CrowdbeatError, messageOf, systemCodeOf } from '../server/base/errors.ts';
import { formatPropertyName, type PropertyName, parsePropertyName } from '../server/protocol/property.ts';
import { resolveCollector } from './cli-collector.ts';

export interface KnownEnvironment {
  readonly server: string;
  readonly property: PropertyName;
  /** Whose token it is. */
  readonly username?: string | undefined;
  /** Absent: the collector asks for none, or it is looked for elsewhere. */
  readonly token?: string | undefined;
}

export const localEnvironment = 'site-demo';

/** `envName-accountName`; the account is what stands behind the last hyphen. Undefined if it isn't two names. */
export function propertyOfEnvironment(name: string): PropertyName | undefined {
  const hyphen = name.lastIndexOf('-');
  return hyphen < 0 ? undefined : parsePropertyName(`${name.slice(hyphen + 1)}/${name.slice(0, hyphen)}`);
}

/** Throws CB_OPTION when nothing says where the environment is. */
export function findEnvironment(
  name: string,
  book: EnvironmentBook,
  environment: NodeJS.ProcessEnv = process.env,
): KnownEnvironment {
  const all = book.read();
  const { server, token } = resolveCollector({}, environment);
  const known = all.get(name);
  if (known !== undefined) return { ...known, token: known.token ?? token };
  const property = propertyOfEnvironment(name);
  const isNamed = name === localEnvironment || (environment['CROWDBEAT_SERVER'] ?? '') !== '';
  if (property !== undefined && isNamed) return { server, property, token };
  const names = [...new Set([localEnvironment, ...all.keys()])].join(', ');
  const way = 'crowdbeat env create and m1 login make one known, CROWDBEAT_SERVER says where others are';
  throw new CrowdbeatError('CB_OPTION', `${JSON.stringify(name)} is no known environment (${names}); ${way}`);
}

export class EnvironmentBook {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** Throws CB_FILE when the file is spoilt, or when others can read the tokens in it. */
  read(): ReadonlyMap<string, KnownEnvironment> {
    let text: string;
    try {
      text = readFileSync(this.#path, 'utf8');
      if ((statSync(this.#path).mode & 0o077) !== 0) throw this.#fault('others can read it: chmod 600');
    } catch (thrown) {
      if (systemCodeOf(thrown) === 'ENOENT') return new Map();
      throw thrown instanceof CrowdbeatError ? thrown : this.#fault(messageOf(thrown));
    }
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      // What the parser stumbled over is not shown: it may be a token.
      throw this.#fault('is not JSON');
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw this.#fault('is no object');
    return new Map(Object.entries(value).map(([name, entry]) => [name, this.#entryOf(name, entry)]));
  }

  write(name: string, entry: KnownEnvironment): void {
    const all = Object.fromEntries(
      [...new Map([...this.read(), [name, entry]])].map(([key, { property, ...others }]) => [
        key,
        { ...others, property: formatPropertyName(property) },
      ]),
    );
    const half = `${this.#path}.${process.pid}`;
    try {
      mkdirSync(dirname(this.#path), { recursive: true, mode: 0o700 });
      rmSync(half, { force: true });
      writeFileSync(half, `${JSON.stringify(all, null, 2)}\n`, { mode: 0o600, flag: 'wx' });
      renameSync(half, this.#path);
    } catch (thrown) {
      throw this.#fault(`can’t be written: ${messageOf(thrown)}`);
    }
  }

  #entryOf(name: string, value: unknown): KnownEnvironment {
    const members = typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
    const [server, username, token] = ['server', 'username', 'token'].map((key) => {
      const text = members[key];
      if (text === undefined || typeof text === 'string') return text;
      throw this.#fault(`${JSON.stringify(name)}: ${key} must be a text`);
    });
    const property = parsePropertyName(String(members['property']));
    if (server === undefined || property === undefined)
      throw this.#fault(`${JSON.stringify(name)} needs a server, and as property account/property`);
    return { server, property, username, token };
  }

  #fault(what: string): CrowdbeatError {
    return new CrowdbeatError('CB_FILE', `${this.#path}: ${what}`);
  }
}
