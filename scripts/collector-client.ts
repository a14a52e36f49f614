/** Asks a collector over HTTP on behalf of a command. */
import { CrowdbeatError, messageOf } from '../server/base/errors.ts';

export interface CollectorQuestion {
  readonly server: string;
  /** Of `m1-auth-token`; an open collector needs none. */
  readonly token?: string | undefined;
  /** `account/property`. */
  readonly property?: string | undefined;
  readonly path: string;
  /** Sent as a form by POST; without one it is a GET. */
  readonly form?: Readonly<Record<string, string>> | undefined;
  /** Sent as it is by POST, in the place of a form. */
  readonly json?: string | undefined;
  /** Sent in the URL. */
  readonly query?: Readonly<Record<string, string>> | undefined;
}

export interface CollectorReply {
  readonly status: number;
  readonly text: string;
}

const timeoutMs = 30_000;

/**
 * The text of the reply. Throws CB_TARGET_UNREACHABLE when nobody answers, and CB_REFUSED with the collector's
 * own words when it refuses.
 */
export async function askCollector(question: CollectorQuestion): Promise<string> {
  const { status, text } = await replyOfCollector(question);
  if (status >= 200 && status < 300) return text;
  throw new CrowdbeatError('CB_REFUSED', `${question.path.slice(1)}: ${refusalOf(text)} (${status})`);
}

/** The reply, whatever it says. Throws CB_OPTION naming a bad server, CB_TARGET_UNREACHABLE when nobody answers. */
export async function replyOfCollector({
  server,
  token,
  property,
  path,
  form,
  json,
  query = {},
}: CollectorQuestion): Promise<CollectorReply> {
  const base = URL.canParse(server) ? new URL(server) : undefined;
  if (base === undefined || !/^https?:$/.test(base.protocol))
    throw new CrowdbeatError('CB_OPTION', `--server: needs http://host:port, got ${JSON.stringify(server)}`);
  base.search = new URLSearchParams(query).toString();
  if (property !== undefined) base.searchParams.set('property', property);
  base.pathname = path;
  const request = {
    headers: token === undefined ? {} : { 'm1-auth-token': token },
    signal: AbortSignal.timeout(timeoutMs),
    ...(form === undefined ? {} : { method: 'POST', body: new URLSearchParams(form) }),
    ...(json === undefined ? {} : { method: 'POST', body: json }),
  };
  try {
    const reply = await fetch(base, request);
    return { status: reply.status, text: await reply.text() };
  } catch (error) {
    const why = error instanceof Error ? messageOf(error.cause ?? error) : messageOf(error);
    throw new CrowdbeatError('CB_TARGET_UNREACHABLE', `${base.origin} does not answer: ${why}`, {
      cause: error,
    });
  }
}

export function refusalOf(text: string): string {
  try {
    const { message } = JSON.parse(text) as { message?: unknown };
    if (typeof message === 'string') return message;
  } catch {
    // Not ours: some proxy's page. Its beginning says more than nothing.
  }
  return text.slice(0, 200);
}
