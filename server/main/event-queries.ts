/** Questions about stored events, put together: where they lie, who answers, the routes. */
import type { Clock } from '../base/clock.ts';
import type { Log } from '../http/failure.ts';
import { getRoutes } from '../http/get.ts';
import { queryRoutes } from '../http/query.ts';
import type { Route } from '../http/router.ts';
import { EventQueries } from '../query/events/answer.ts';
import { type EventSourcesOptions, openEventSources } from '../query/events/event-source.ts';
import type { QuestionLimits } from '../query/events/limits.ts';
import type { RedisConnection } from '../store/connection.ts';
import { SchemaCache } from '../store/schema.ts';

export interface EventQueryPartsOptions extends Pick<EventSourcesOptions, 'cacheBytesMax' | 'onUse'> {
  readonly connection: RedisConnection;
  readonly clock: Clock;
  readonly log: Log;
  readonly limits?: Partial<QuestionLimits> | undefined;
}

export interface EventQueryParts {
  readonly routes: readonly Route[];
  close(): void;
}

export function openEventQueries(options: EventQueryPartsOptions): EventQueryParts {
  const { connection, clock, log, limits, cacheBytesMax, onUse } = options;
  const sources = openEventSources(connection, { clock, cacheBytesMax, onUse });
  const queries = new EventQueries({ clock, limits });
  const schemas = new SchemaCache(connection, clock);
  const parts = { queries, sourceOf: sources.of, schemas, clock, log };
  return { routes: [...queryRoutes(parts), ...getRoutes(parts)], close: () => sources.close() };
}
