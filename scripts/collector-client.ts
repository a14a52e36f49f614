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
}

const timeoutMs = 30_000;

/**
 * The text of the reply. Throws CB_TARGET_UNREACHABLE when nobody answers, and CB_REFUSED with the collector's
 * own words when it refuses.
 */
export async function askCollector({
  server,
  token,
  property,
  path,
  form,
  json,
}: CollectorQuestion): Promise<string> {
  const base = URL.canParse(server) ? new URL(server) : undefined;
  if (base === undefined || !/^https?:$/.test(base.protocol))
    throw new CrowdbeatError('CB_OPTION', `--server: needs http://host:port, got ${JSON.stringify(server)}`);
  if (property !== undefined) base.searchParams.set('property', property);
  base.pathname = path;
  const request = {
    headers: token === undefined ? {} : { 'm1-auth-token': token },
    signal: AbortSignal.timeout(timeoutMs),
    ...(form === undefined ? {} : { method: 'POST', body: new URLSearchParams(form) }),
    ...(json === undefined ? {} : { method: 'POST', body: json }),
  };
  let reply: Response;
  let text: string;
  try {
    reply = await fetch(base, request);
    text = await reply.text();
  } catch (error) {
    const why = error instanceof Error ? messageOf(error.cause ?? error) : messageOf(error);
    throw new CrowdbeatError('CB_TARGET_UNREACHABLE', `${base.origin} does not answer: ${why}`, {
      cause: error,
    });
  }
  if (reply.ok) return text;
  throw new CrowdbeatError('CB_REFUSED', `${path.slice(1)}: ${refusalOf(text)} (${reply.status})`);
}

function refusalOf(text: string): string {
  try {
    const { message } = JSON.parse(text) as { message?: unknown };
    if (typeof message === 'string') return message;
  } catch {
    // Not ours: some proxy's page. Its beginning says more than nothing.
  }
  return text.slice(0, 200);
}
