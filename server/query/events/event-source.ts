/** The events of all properties that somebody asks about, within one budget of memory. */
import { type Clock, systemClock } from '../../base/clock.ts';
import { formatPropertyName, type PropertyName } from '../../protocol/property.ts';
import type { RedisConnection } from '../../store/connection.ts';
import { SchemaCache } from '../../store/schema.ts';
import { MemoryBudget } from './memory-budget.ts';
import { PropertySource } from './property-source.ts';
import type { EventSource } from './segment.ts';

export interface EventSourcesOptions {
  readonly clock?: Clock | undefined;
  /** Bytes of columns and documents kept in memory, of all properties together. Default 256 MiB. */
  readonly cacheBytesMax?: number | undefined;
  /** What is kept of segments that are not sealed goes when nobody has asked this long. Default 60 s. */
  readonly openIdleMs?: number | undefined;
  /** Told of every property that is asked about. */
  readonly onUse?: ((property: PropertyName) => void) | undefined;
}

export interface EventSources {
  /** Costs nothing until its segments are asked for. */
  of(property: PropertyName): EventSource;
  /** Bytes that are kept. */
  readonly cachedBytes: number;
  /** Forgets what nobody has asked for lately; a timer calls it. */
  dropIdle(): void;
  close(): void;
}

const cacheBytesMaxDefault = 256 * 1_048_576;
const openIdleMsDefault = 60_000;
/** What is known of sealed segments, too. */
const idleMs = 600_000;
const sweepEveryMs = 10_000;

interface InUse {
  readonly source: PropertySource;
  readonly property: PropertyName;
  usedMs: number;
}

/** @param connection not that of commits: a column may have a megabyte */
export function openEventSources(
  connection: RedisConnection,
  options: EventSourcesOptions = {},
): EventSources {
  const { clock = systemClock, openIdleMs = openIdleMsDefault, onUse } = options;
  const budget = new MemoryBudget(options.cacheBytesMax ?? cacheBytesMaxDefault);
  const schemas = new SchemaCache(connection, clock);
  const inUse = new Map<string, InUse>();
  const dropIdle = (): void => {
    const nowMs = clock.monotonicMs();
    for (const [name, { source, usedMs }] of inUse) {
      if (nowMs - usedMs >= openIdleMs) source.dropOpen();
      if (nowMs - usedMs < Math.max(idleMs, openIdleMs)) continue;
      source.release();
      inUse.delete(name);
    }
  };
  const timer = setInterval(dropIdle, sweepEveryMs).unref();
  const entryOf = (property: PropertyName): InUse => {
    const name = formatPropertyName(property);
    let entry = inUse.get(name);
    if (entry === undefined) {
      const source = new PropertySource({ connection, property, schemas, budget });
      entry = { source, property, usedMs: 0 };
      inUse.set(name, entry);
    }
    entry.usedMs = clock.monotonicMs();
    return entry;
  };
  return {
    of: (property) => ({
      segments: () => {
        onUse?.(property);
        return entryOf(property).source.segments();
      },
    }),
    get cachedBytes() {
      return budget.bytes;
    },
    dropIdle,
    close: () => {
      clearInterval(timer);
      for (const { source } of inUse.values()) source.release();
      inUse.clear();
    },
  };
}
