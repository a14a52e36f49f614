/**
 * Tries, before the first visitor, what all of them will do: a write of nothing, and an update of the session store
 * that deletes a session which nobody has. A missing right, store or property is one sentence then, and not a run of
 * which every event was rejected.
 */
import { CrowdbeatError, messageOf } from '../../server/base/errors.ts';
import { formatPropertyName, type PropertyName, propertyHeader } from '../../server/protocol/property.ts';
import { ask, refusalIn } from './ask.ts';
import { bearerHeaders, publishHeaders } from './credentials.ts';

export interface PreflightOptions {
  readonly url: URL;
  readonly property: PropertyName;
  readonly token: string | undefined;
  readonly key: string | undefined;
  readonly sessionStore: string | undefined;
  /** The collector is our own: a session store that is not there is added. */
  readonly addsStore: boolean;
  readonly timeoutMs: number;
}

/** No session of any crowd: theirs are uuids. */
const nobody = 'crowdbeat looks before it runs';

/** Throws CB_REFUSED with the target's own words, or CB_TARGET_UNREACHABLE. */
export async function preflight(options: PreflightOptions): Promise<void> {
  const { token, key, sessionStore: store } = options;
  await post(options, '/write', [], publishHeaders(token, key));
  if (store === undefined) return;
  const bearer = bearerHeaders(token);
  if (options.addsStore) await post(options, '/session/add', { name: store }, bearer);
  await post(options, '/session/update', { store, ops: [{ delete: [nobody] }] }, bearer);
}

async function post(
  { url, property, timeoutMs }: PreflightOptions,
  path: string,
  body: unknown,
  access: Readonly<Record<string, string>>,
): Promise<void> {
  const headers = {
    'content-type': 'application/json',
    [propertyHeader]: formatPropertyName(property),
    ...access,
  };
  const where = `target ${url.href}: POST ${path}`;
  const reply = await ask({ url, path, headers, body: JSON.stringify(body), timeoutMs }).catch(
    (error: unknown) => {
      throw new CrowdbeatError('CB_TARGET_UNREACHABLE', `${where} ${messageOf(error)}`, { cause: error });
    },
  );
  if (reply.status >= 200 && reply.status < 300) return;
  const isPassing = reply.status === 429 || reply.status >= 500;
  const remedy = reply.text.includes('"no_such_store"') ? '; add it: crowdbeat session add --name …' : '';
  throw new CrowdbeatError(
    isPassing ? 'CB_TARGET_UNREACHABLE' : 'CB_REFUSED',
    `${where} answered ${refusalIn(reply)}${remedy}`,
  );
}
