/** `GET /totals`: what is stored now, for the audit. */
import type { RedisConnection } from '../store/connection.ts';
import { readTotals } from '../store/totals.ts';
import { answeringRoute, ok } from './answering.ts';
import type { Log } from './failure.ts';
import type { Route } from './router.ts';

export function totalsRoute(connection: RedisConnection, log: Log): Route {
  return answeringRoute('/totals', [], log, async ({ property }) =>
    ok(await readTotals(connection, property)),
  );
}
