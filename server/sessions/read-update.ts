/**
 * The body of `POST /session/update`, `{"store": "stash", "ops": […]}`, as operations. All of it is right, or nothing
 * of it is done: the first fault refuses the request, and says where it is.
 *
 *   {"upsert": [document, …]}
 *   {"delete": ["session", …]}     {"delete": [{"id": "session", "lastUpdated": 1795264215000}, …]}
 *
 * Speed: a body with one document, as heartbeats come, is parsed once; its document's text is cut out of the
 * body and not written anew.
 */
import { limits } from '../protocol/limits.ts';
import type { ErrorReply } from '../protocol/replies.ts';
import type { SessionOperation } from '../store/session-store.ts';
import { timeMsMax } from '../store/session-store-record.ts';
import type { HeartbeatDoor } from './heartbeat-door.ts';
import { isSessionId, quoted, readHeartbeat, sessionIdRule } from './read-heartbeat.ts';

export interface SessionUpdate {
  readonly store: string;
  readonly operations: readonly SessionOperation[];
  /** The caller wants to be told what became of them. */
  readonly isVerbose: boolean;
}

interface Reading<Receipt> {
  readonly receipt: Receipt;
  readonly door: HeartbeatDoor<Receipt>;
}

/** What stands around the one document of a plain heartbeat. The name is one that needs no escapes. */
const plainStart = /^\{"store":"([\w.-]{1,128})","ops":\[\{"upsert":\[(?=\{)/;
const plainEnd = ']}]}';

/** @param text the body, JSON */
export function readUpdate<Receipt extends { readonly receivedMs: number }>(
  text: string,
  receipt: Receipt,
  door: HeartbeatDoor<Receipt>,
): SessionUpdate | ErrorReply {
  const reading = { receipt, door };
  const start = plainStart.exec(text);
  if (start !== null && text.endsWith(plainEnd)) {
    // If what stands between is one JSON value, the whole is JSON and that value its only document.
    const json = text.slice(start[0].length, -plainEnd.length);
    const document = parseJson(json);
    if (document !== undefined) return readPlain(start[1] as string, document, json, reading);
  }
  const body = parseJson(text);
  if (body === undefined) return refuse('bad_json', 'the body is not JSON');
  if (!isObject(body)) return refuse('bad_body', 'the body must be {"store": …, "ops": […]}');
  const unknown = Object.keys(body).find((name) => !['store', 'ops', 'verbose'].includes(name));
  if (unknown !== undefined)
    return refuse(
      'bad_body',
      `beside "store", "ops" and "verbose" no member is known, got ${quoted(unknown)}`,
    );
  const { verbose = false } = body;
  if (typeof verbose !== 'boolean')
    return refuse('bad_body', `"verbose" must be true or false, got ${quoted(verbose)}`);
  return readOperations(body['store'], body['ops'], verbose, reading);
}

/** The same for a form, whose `ops` is JSON in a field. */
export function readUpdateForm<Receipt extends { readonly receivedMs: number }>(
  store: string | undefined,
  ops: string | undefined,
  receipt: Receipt,
  door: HeartbeatDoor<Receipt>,
): SessionUpdate | ErrorReply {
  const list = ops === undefined ? undefined : parseJson(ops);
  if (ops !== undefined && list === undefined) return refuse('bad_json', 'the field "ops" is not JSON');
  return readOperations(store, list, false, { receipt, door });
}

function readPlain<Receipt extends { readonly receivedMs: number }>(
  store: string,
  document: unknown,
  json: string,
  { receipt, door }: Reading<Receipt>,
): SessionUpdate | ErrorReply {
  const heartbeat = readHeartbeat(document, json, receipt, door);
  if (typeof heartbeat === 'string') return badOperation('ops[0].upsert[0]', heartbeat);
  return { store, operations: [{ kind: 'upsert', heartbeat }], isVerbose: false };
}

function readOperations<Receipt extends { readonly receivedMs: number }>(
  store: unknown,
  ops: unknown,
  isVerbose: boolean,
  reading: Reading<Receipt>,
): SessionUpdate | ErrorReply {
  if (!isStoreName(store)) return refuse('bad_body', `"store" ${storeRule}, got ${quoted(store)}`);
  if (!Array.isArray(ops))
    return refuse('bad_body', `"ops" must be an array of operations, got ${quoted(ops)}`);
  const operations: SessionOperation[] = [];
  for (const [index, op] of (ops as unknown[]).entries()) {
    const fault = readOperation(op, `ops[${index}]`, operations, reading);
    if (fault !== undefined) return fault;
  }
  return { store, operations, isVerbose };
}

/** Adds the operation's parts; gives what is wrong with it. */
function readOperation<Receipt extends { readonly receivedMs: number }>(
  op: unknown,
  where: string,
  operations: SessionOperation[],
  { receipt, door }: Reading<Receipt>,
): ErrorReply | undefined {
  const names = isObject(op) ? Object.keys(op) : [];
  const [name = ''] = names;
  const items = isObject(op) ? op[name] : undefined;
  if (names.length !== 1 || (name !== 'upsert' && name !== 'delete') || !Array.isArray(items))
    return badOperation(where, `must be {"upsert": […]} or {"delete": […]}, got ${quoted(op)}`);
  if (operations.length + items.length > limits.sessionOpsMax) {
    const message = `an update holds at most ${limits.sessionOpsMax} sessions to upsert and delete`;
    return { status: 413, code: 'too_many_ops', message };
  }
  for (const [index, item] of (items as unknown[]).entries()) {
    const part = name === 'upsert' ? readHeartbeat(item, undefined, receipt, door) : readDeletion(item);
    if (typeof part === 'string') return badOperation(`${where}.${name}[${index}]`, part);
    operations.push('kind' in part ? part : { kind: 'upsert', heartbeat: part });
  }
  return undefined;
}

function readDeletion(item: unknown): (SessionOperation & { readonly kind: 'delete' }) | string {
  if (isSessionId(item)) return { kind: 'delete', sessionId: item };
  if (!isObject(item)) return `${sessionIdRule}, or {"id": …, "lastUpdated": …}, got ${quoted(item)}`;
  const { id, lastUpdated, ...others } = item;
  if (!isSessionId(id)) return `id ${sessionIdRule}, got ${quoted(id)}`;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) return `beside id and lastUpdated no member is known, got ${quoted(unknown)}`;
  const isTime =
    Number.isInteger(lastUpdated) && (lastUpdated as number) >= 0 && (lastUpdated as number) <= timeMsMax;
  if (!isTime)
    return `lastUpdated must be epoch milliseconds, as the store said it, got ${quoted(lastUpdated)}`;
  return { kind: 'delete', sessionId: id, lastUpdatedMs: lastUpdated as number };
}

export const storeRule = `must be a session store's name, a text of 1 to ${limits.nameLengthMax} characters`;

/** Names of stores follow the rules of a session's id: a text that Redis can hold. */
export function isStoreName(value: unknown): value is string {
  return isSessionId(value) && value.length <= limits.nameLengthMax;
}

/** Undefined if the text is not JSON; no JSON text is undefined. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // SyntaxError is all that JSON.parse throws.
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const badOperation = (where: string, rule: string): ErrorReply => refuse('bad_op', `${where}: ${rule}`);

function refuse(code: string, message: string): ErrorReply {
  return { status: 400, code, message };
}
