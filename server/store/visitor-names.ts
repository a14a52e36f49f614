/** Which event types and sources a property knows: its registry. */
import type { RedisConnection } from './connection.ts';
import { escapeName, noCampaign, type PropertyKeys, unescapeName } from './keys.ts';

/** A registered name, as keys have it (`keyName`) and as people do. */
export type RegisteredName =
  | { readonly keyName: string; readonly event: string }
  | { readonly keyName: string; readonly source: string; readonly campaign: string | undefined };

export interface RegisteredNames {
  /** Ascending by key name. */
  readonly names: readonly RegisteredName[];
  /** There are more than were read. */
  readonly isPartial: boolean;
}

const scanCount = 500;

/** All event types, all sources with their campaigns, or one source with all of its campaigns. */
export type NameKind = 'events' | 'sources' | { readonly source: string };

function patternOf(kind: NameKind): string {
  if (typeof kind === 'string') return kind === 'events' ? 'evt:*' : 'src:*';
  return `src:${escapeName(kind.source).replace(/[\\*?[\]]/g, '\\$&')}::cpg:*`;
}

/** At most `namesMax` names of a kind. */
export async function readRegisteredNames(
  connection: RedisConnection,
  keys: PropertyKeys,
  kind: NameKind,
  namesMax: number,
): Promise<RegisteredNames> {
  const found = new Set<string>();
  const pattern = patternOf(kind);
  let cursor = '0';
  do {
    const args = [keys.registry, cursor, 'MATCH', pattern, 'COUNT', String(scanCount)];
    const [next, some] = (await connection.call('SSCAN', args)) as [string, string[]];
    for (const name of some) found.add(name);
    cursor = next;
  } while (cursor !== '0' && found.size <= namesMax);
  const sorted = [...found].sort().slice(0, namesMax);
  return { names: sorted.map(parseKeyName), isPartial: found.size > namesMax };
}

/** Those of the key names that the registry does not know, in their order. */
export async function readUnknownNames(
  connection: RedisConnection,
  keys: PropertyKeys,
  keyNames: readonly string[],
): Promise<string[]> {
  if (keyNames.length === 0) return [];
  const known = (await connection.call('SMISMEMBER', [keys.registry, ...keyNames])) as number[];
  return keyNames.filter((_name, i) => Number(known[i]) === 0);
}

function parseKeyName(keyName: string): RegisteredName {
  if (keyName.startsWith('evt:')) return { keyName, event: unescapeName(keyName.slice('evt:'.length)) };
  const [source = '', campaign = noCampaign] = keyName.slice('src:'.length).split('::cpg:');
  return {
    keyName,
    source: unescapeName(source),
    campaign: campaign === noCampaign ? undefined : unescapeName(campaign),
  };
}
