/**
 * An environment file says which stores a property is to have:
 *
 *   {"environment": {"stores": [{"store": "index", "shards": 1, "replicas": 1}],
 *                    "sessionStores": [{"store": "stash", "shards": 1, "replicas": 1}]}}
 *
 * Both lists may be absent. `index` is there in every property, and the only store of its kind. Shards and replicas
 * may be absent too, and are 1: a property lies whole in one slot of Redis, and its copies are the affair of Redis.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { CrowdbeatError, messageOf } from '../server/base/errors.ts';
import { indexStoreName } from '../server/http/stores.ts';
import { isStoreName, storeRule } from '../server/sessions/read-update.ts';
import { packageRoot } from './home.ts';

export interface EnvironmentTemplate {
  /** Names, each of them once. */
  readonly sessionStores: readonly string[];
}

/** A file of the caller's; a bare name that isn't one may be that of a template that comes with the package. */
export function readTemplateFile(path: string): EnvironmentTemplate {
  const folder = join(packageRoot(), 'environments');
  const packaged = join(folder, path);
  const isPackaged = !existsSync(path) && path === basename(path) && existsSync(packaged);
  let text: string;
  try {
    text = readFileSync(isPackaged ? packaged : path, 'utf8');
  } catch (thrown) {
    const ours = readdirSync(folder).sort().join(', ');
    const message = `${path}: can’t be read: ${messageOf(thrown)}; templates that need no path: ${ours}`;
    throw new CrowdbeatError('CB_FILE', message, { cause: thrown });
  }
  return readTemplate(text, path);
}

/** Throws CB_OPTION naming the file, the place in it, the rule and the value. */
export function readTemplate(text: string, where: string): EnvironmentTemplate {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (thrown) {
    throw new CrowdbeatError('CB_OPTION', `${where}: is not JSON: ${messageOf(thrown)}`);
  }
  const file = membersOf(value, `${where}:`, ['environment']);
  const place = `${where}: environment`;
  const { stores, sessionStores } = membersOf(file['environment'], place, ['stores', 'sessionStores']);
  for (const [index, name] of namesOf(stores, `${place}.stores`).entries()) {
    if (name !== indexStoreName)
      throw fault(
        `${place}.stores[${index}].store`,
        `must be "${indexStoreName}", the one store there is`,
        name,
      );
  }
  return { sessionStores: namesOf(sessionStores, `${place}.sessionStores`) };
}

function namesOf(value: unknown, place: string): string[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw fault(place, 'must be a list', value);
  const names = value.map((store, index) => nameOf(store, `${place}[${index}]`));
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw fault(place, 'names a store twice', twice);
  return names;
}

function nameOf(value: unknown, place: string): string {
  const { store, shards = 1, replicas = 1 } = membersOf(value, place, ['store', 'shards', 'replicas']);
  if (!isStoreName(store)) throw fault(`${place}.store`, storeRule, store);
  if (shards !== 1)
    throw fault(`${place}.shards`, 'must be 1: a property lies whole in one slot of Redis', shards);
  if (replicas !== 1)
    throw fault(
      `${place}.replicas`,
      'must be 1: further copies are made by Redis itself (docs/cluster.md)',
      replicas,
    );
  return store;
}

function membersOf(
  value: unknown,
  place: string,
  known: readonly string[],
): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw fault(place, `must be an object with ${known.join(', ')}`, value);
  const unknown = Object.keys(value).find((name) => !known.includes(name));
  if (unknown !== undefined) throw fault(place, `knows ${known.join(', ')}`, unknown);
  return value as Record<string, unknown>;
}

function fault(place: string, rule: string, value: unknown): CrowdbeatError {
  const got = JSON.stringify(value)?.slice(0, 100) ?? 'nothing';
  return new CrowdbeatError('CB_OPTION', `${place} ${rule}, got ${got}`);
}
