/**
 * The configuration of `crowdbeat flush`, a JSON object:
 *
 *   {"server": "http://127.0.0.1:7070", "session": "stash", "username": "flush", "password": "…",
 *    "timeoutSeconds": 25, "property": "demo/site", "pollSeconds": 3}
 */
import { CrowdbeatError } from '../base/errors.ts';
import { type PropertyName, parsePropertyName } from '../protocol/property.ts';

export interface FlushConfig {
  readonly server: URL;
  /** Name of the session store. */
  readonly session: string;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly timeoutMs: number;
  readonly pollMs: number;
  /** Undefined: the collector's own choice, demo/site or the user's account's. */
  readonly property: PropertyName | undefined;
}

const known = ['server', 'session', 'username', 'password', 'timeoutSeconds', 'pollSeconds', 'property'];
const pollSecondsDefault = 3;
const timeoutSecondsMax = 86_400;
const pollSecondsMax = 3600;

/**
 * Throws CB_OPTION naming the key, the rule and the value; never a password.
 * @param where the file's name, for messages
 */
export function readFlushConfig(text: string, where: string): FlushConfig {
  const config = parseObject(text, where);
  const fault = (key: string, rule: string): CrowdbeatError => {
    const got = key === 'password' ? '' : `, got ${JSON.stringify(config[key])?.slice(0, 100) ?? 'nothing'}`;
    return new CrowdbeatError('CB_OPTION', `${where}: ${key} ${rule}${got}`);
  };
  const unknown = Object.keys(config).find((key) => !known.includes(key));
  if (unknown !== undefined) throw fault(unknown, `is not a key; known are ${known.join(', ')}`);
  const seconds = (key: string, absent: number | undefined, max: number): number => {
    const value = config[key] ?? absent;
    if (typeof value === 'number' && value >= 0.05 && value <= max) return value;
    throw fault(key, `must be a number of seconds from 0.05 to ${max}`);
  };
  const textAt = (key: string): string | undefined => {
    const value = config[key];
    if (value === undefined || value === null) return undefined;
    if (typeof value !== 'string' || value === '') throw fault(key, 'must be a text');
    return value;
  };
  const session = textAt('session');
  if (session === undefined) throw fault('session', 'must be the name of a session store, such as stash');
  const [username, password] = [textAt('username'), textAt('password')];
  if ((username === undefined) !== (password === undefined))
    throw fault(
      username === undefined ? 'username' : 'password',
      'is needed: one is no use without the other',
    );
  return {
    server: readServer(config['server'], fault),
    session,
    username,
    password,
    timeoutMs: Math.round(1000 * seconds('timeoutSeconds', undefined, timeoutSecondsMax)),
    pollMs: Math.round(1000 * seconds('pollSeconds', pollSecondsDefault, pollSecondsMax)),
    property: readProperty(textAt('property'), fault),
  };
}

type Fault = (key: string, rule: string) => CrowdbeatError;

function parseObject(text: string, where: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser quotes what it stumbled over, and that may be a password.
    throw new CrowdbeatError('CB_OPTION', `${where}: is not JSON`);
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  throw new CrowdbeatError('CB_OPTION', `${where}: must be a JSON object`);
}

function readServer(value: unknown, fault: Fault): URL {
  const url = typeof value === 'string' && URL.canParse(value) ? new URL(value) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol))
    throw fault('server', 'must be the address of a collector, such as http://127.0.0.1:7070');
  return url;
}

function readProperty(text: string | undefined, fault: Fault): PropertyName | undefined {
  const property = text === undefined ? undefined : parsePropertyName(text);
  if (text !== undefined && property === undefined) throw fault('property', 'must be account/property');
  return property;
}
