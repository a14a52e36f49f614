/** A small crowd for tests, twice: as events for the store, and as plain facts for the naive twins. */
import { bucketName } from '../../base/time-bucket.ts';
import type { RedisConnection } from '../../store/connection.ts';
import type { EventRecord } from '../../store/event-record.ts';
import { PropertyKeys } from '../../store/keys.ts';
import { testEvent } from '../../store/redis.testing.ts';
import { commitEventsMax, type PropertyStore } from '../../store/store.ts';
import type { NamedLeaf } from './question.ts';

export interface Fact {
  readonly visitor: string;
  /** Epoch ms of the minute. */
  readonly minuteMs: number;
  readonly event: string;
  readonly source?: string | undefined;
  readonly campaign?: string | undefined;
  readonly isBot?: boolean;
}

export function eventsOf(facts: readonly Fact[]): EventRecord[] {
  return facts.map(({ visitor, minuteMs, event, source, campaign, isBot = false }, i) =>
    testEvent({
      visitorId: visitor,
      // Anywhere in the minute: its seconds must not matter.
      timeMs: minuteMs + ((i * 7919) % 60_000),
      type: event,
      source,
      campaign,
      isBot,
    }),
  );
}

export async function commitFacts(store: PropertyStore, facts: readonly Fact[]): Promise<void> {
  const events = eventsOf(facts);
  for (let at = 0; at < events.length; at += commitEventsMax)
    await store.commit(events.slice(at, at + commitEventsMax));
}

/** Lets the next visitor of an empty property have this dense id. */
export async function startIdsAt(
  connection: RedisConnection,
  property: { account: string; property: string },
  id: number,
): Promise<void> {
  await connection.call('SET', [new PropertyKeys(property).ids, String(id)]);
}

/**
 * Turns every set of visitors into a bitmap, as if it had been large: both forms must give the same answers.
 * @param chosen which keys, by their name
 */
export async function makeBitmaps(
  connection: RedisConnection,
  chosen: (key: string) => boolean,
): Promise<void> {
  const keys = (await connection.call('KEYS', ['*'])) as string[];
  for (const key of keys) {
    if (!/::(?:evt|src|all)/.test(key) || !chosen(key)) continue;
    if ((await connection.call('TYPE', [key])) !== 'set') continue;
    const members = ((await connection.call('SMEMBERS', [key])) as string[]).map(Number);
    await connection.call('DEL', [key]);
    const bytes = Math.max(64, 2 ** Math.ceil(Math.log2((Math.max(...members) + 1) / 8)));
    await connection.call('SETBIT', [key, String(8 * bytes - 1), '0']);
    for (const member of members) await connection.call('SETBIT', [key, String(member), '1']);
  }
}

export const has = (fact: Fact, leaf: NamedLeaf): boolean =>
  'event' in leaf
    ? fact.event === leaf.event
    : fact.source === leaf.source && ('anyCampaign' in leaf || fact.campaign === leaf.campaign);

/** Visitors with a fact that is so. */
export const visitorsWith = (facts: readonly Fact[], isSo: (fact: Fact) => boolean): Set<string> =>
  new Set(facts.filter(isSo).map(({ visitor }) => visitor));

export const minuteOf = (timeMs: number): string => bucketName(timeMs, 'minute');
