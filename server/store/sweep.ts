/**
 * Sweeps what time to live alone does not remove: old segments of documents, and names and days whose keys have all
 * expired. One collector does it at a time, and again only after the interval: the lease is not given back.
 */
import { randomBytes } from 'node:crypto';
import type { PropertyName } from '../protocol/property.ts';
import type { CallOfNode, RedisConnection } from './connection.ts';
import { generationPattern, PropertyKeys, propertyOfGeneration, sweepLease } from './keys.ts';
import type { Retention } from './retention.ts';
import { forgetDeadNames } from './sweep-names.ts';
import { dropOldSegments } from './sweep-segments.ts';

/** Keys that one SCAN looks at: 0.3 ms of Redis. */
const scanCount = 400;

export interface Swept {
  /** Segments of documents that were dropped. */
  readonly segments: number;
  /** Names and days that left the registry. */
  readonly names: number;
}

/** Takes the right to sweep for so long. False if somebody else has it, or had it less than that ago. */
export async function takeSweepLease(connection: RedisConnection, heldMs: number): Promise<boolean> {
  const token = randomBytes(8).toString('hex');
  const args = [sweepLease, token, 'NX', 'PX', String(Math.max(1, Math.round(heldMs)))];
  return (await connection.call('SET', args)) === 'OK';
}

/** Every property that there is, one after the other. One that is made or deleted meanwhile may be among them. */
export async function* allProperties(connection: RedisConnection): AsyncGenerator<PropertyName> {
  for (const call of connection.masters()) yield* propertiesOfNode(call);
}

async function* propertiesOfNode(call: CallOfNode): AsyncGenerator<PropertyName> {
  let cursor = '0';
  do {
    const args = [cursor, 'MATCH', generationPattern, 'COUNT', String(scanCount)];
    const [next, found] = (await call('SCAN', args)) as [string, string[]];
    cursor = next;
    for (const key of found) {
      const property = propertyOfGeneration(key);
      if (property !== undefined) yield property;
    }
  } while (cursor !== '0');
}

/** Sweeps one property; a property that is being deleted is left alone. Throws what the connection throws. */
export async function sweepProperty(
  connection: RedisConnection,
  property: PropertyName,
  retention: Retention,
  nowMs: number,
): Promise<Swept> {
  const keys = new PropertyKeys(property);
  const generation = await connection.call('GET', [keys.generation]);
  if (typeof generation !== 'string' || generation.startsWith('!')) return { segments: 0, names: 0 };
  const { events } = retention;
  const segments =
    events === undefined ? 0 : await dropOldSegments(connection, keys, generation, nowMs - events);
  const names = await forgetDeadNames(connection, keys, generation, retention, nowMs);
  return { segments, names };
}
