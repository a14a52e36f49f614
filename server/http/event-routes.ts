/** The routes around events, beside `POST /write`: the pixel, the schema, the stores and the users. */
import type { Clock } from '../base/clock.ts';
import type { Enricher } from '../ingest/enrich/enricher.ts';
import type { EventCounts } from '../ingest/event-counts.ts';
import type { Intake } from '../ingest/intake.ts';
import type { RedisConnection } from '../store/connection.ts';
import { SchemaCache } from '../store/schema.ts';
import type { Log } from './failure.ts';
import type { Route } from './router.ts';
import { schemaAddRoute, schemaRoute } from './schema.ts';
import { storeListRoute } from './stores.ts';
import { trackItRoute } from './track-it.ts';
import { userRecordRoute } from './user-record.ts';

export interface EventRoutesOptions {
  readonly intake: Intake;
  readonly enricher: Enricher;
  readonly counts: EventCounts;
  /** For what is asked. */
  readonly connection: RedisConnection;
  readonly clock: Clock;
  readonly log: Log;
}

export function eventRoutes(options: EventRoutesOptions): readonly Route[] {
  const { intake, enricher, counts, connection, clock, log } = options;
  const schema = { connection, schemas: new SchemaCache(connection, clock), clock, log };
  return [
    trackItRoute({ intake, clock, log, counts, enricher }),
    schemaRoute(schema),
    schemaAddRoute(schema),
    storeListRoute(connection, log),
    userRecordRoute(connection, log),
  ];
}
