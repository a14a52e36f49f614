/** `POST /auth`: a name and a password for a token, given as plain text. */
import type { Gate } from '../access/authorize.ts';
import { corsHeaders } from '../access/judge.ts';
import { type LoginReply, login, splitUsername } from '../access/login.ts';
import type { PasswordHasher } from '../access/password.ts';
import { propertyOfRequest } from '../access/property-of-request.ts';
import { foreignOrigin } from '../access/refusals.ts';
import { tokenTtlMs, tokenTtlMsMax, tokenTtlMsMin } from '../access/system-parameters.ts';
import type { Sender } from '../ingest/enrich/enricher.ts';
import { defaultProperty, propertyHeader } from '../protocol/property.ts';
import type { ErrorReply } from '../protocol/replies.ts';
import type { RedisConnection } from '../store/connection.ts';
import { type Answer, errorAnswer, send } from './answer.ts';
import { bodyReader } from './body.ts';
import { type Log, sendFailure } from './failure.ts';
import type { Parameters } from './query-string.ts';
import { type CollectorRequest, senderOf } from './request.ts';
import type { Route } from './router.ts';
import { readFields, refuse } from './verb-route.ts';

export interface AuthOptions {
  readonly connection: RedisConnection;
  readonly gate: Gate;
  readonly hasher: PasswordHasher;
  readonly log: Log;
  readonly addressOf: (sender: Sender) => string;
}

/** `ip` is MinusOneDB's, which binds a token to an address; ours are bound to none, so it changes nothing. */
const known = ['username', 'password', 'ttl', 'account', 'property', 'ip'];

export function authRoute(options: AuthOptions): Route {
  const read = bodyReader((request, response, body) => {
    answerOf(options, request, body)
      .then((answer) => send(response, answer))
      .catch((thrown: unknown) => sendFailure(response, thrown, 'POST /auth', options.log));
  });
  return {
    method: 'POST',
    path: '/auth',
    right: 'none',
    handle: (request, response) => read(request, response),
  };
}

async function answerOf(options: AuthOptions, request: CollectorRequest, body: Buffer): Promise<Answer> {
  const fields = readFields(request, body, known);
  if ('status' in fields) return errorAnswer(fields);
  const [username, password] = [fields.get('username'), fields.get('password')];
  if (username === undefined || password === undefined)
    return refuse(400, 'bad_parameter', 'username= and password= are needed');
  const user = splitUsername(username, fields.get('account') ?? defaultProperty.account);
  const refusal = await refusedOrigin(options.gate, request, fields, user.account);
  if (refusal !== undefined) return errorAnswer(refusal, ['vary', 'Origin']);
  const { system } = await options.gate.state(user.account);
  const ttlMs = readTtl(fields.get('ttl'), tokenTtlMs(system));
  if (typeof ttlMs !== 'number') return errorAnswer(ttlMs);
  const ip = options.addressOf(senderOf(request));
  return answerTo(
    await login(options.connection, options.hasher, { ...user, password, ip, ttlMs }),
    request.headers.origin,
  );
}

function answerTo(reply: LoginReply, origin: string | undefined): Answer {
  const headers = ['cache-control', 'no-store', ...(corsHeaders(origin) ?? [])];
  if ('token' in reply) return { status: 200, json: reply.token, type: 'text/plain', headers };
  const { refused, retryAfterSeconds } = reply;
  if (retryAfterSeconds !== undefined) headers.push('retry-after', String(retryAfterSeconds));
  if (refused.status === 401) headers.push('www-authenticate', 'Bearer');
  return errorAnswer(refused, headers);
}

/** A page may log in where it may send: to the property that it names, or to the account's first one. */
async function refusedOrigin(
  gate: Gate,
  { headers }: CollectorRequest,
  fields: Parameters,
  account: string,
): Promise<ErrorReply | undefined> {
  const { origin, host } = headers;
  if (origin === undefined) return undefined;
  const header = headers[propertyHeader] as string | undefined;
  const isNamed = header !== undefined || fields.has('property');
  const property = isNamed
    ? propertyOfRequest(header, fields.get('property'))
    : await gate.defaultProperty(account);
  if (property !== undefined && 'status' in property) return property;
  const isAllowed = property?.account === account && (await gate.isOriginAllowed(origin, host, property));
  return isAllowed ? undefined : foreignOrigin(origin);
}

function readTtl(text: string | undefined, initialMs: number): number | ErrorReply {
  if (text === undefined) return initialMs;
  const ms = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (ms >= tokenTtlMsMin && ms <= tokenTtlMsMax) return ms;
  const message = `ttl=: needs milliseconds from ${tokenTtlMsMin} to ${tokenTtlMsMax}, got "${text.slice(0, 100)}"`;
  return { status: 400, code: 'bad_parameter', message };
}
