/** `GET /store/list`: where a property's events are kept. There is one store, and it is always there. */
import type { RedisConnection } from '../store/connection.ts';
import { countReplicas } from '../store/replicas.ts';
import { answeringRoute, ok } from './answering.ts';
import type { Log } from './failure.ts';
import type { Route } from './router.ts';

/** Name of the store that `POST /write` writes to. */
export const indexStoreName = 'index';

export function storeListRoute(connection: RedisConnection, log: Log): Route {
  const route = answeringRoute('/store/list', [], log, async ({ property }) =>
    ok([
      {
        name: indexStoreName,
        type: 'standard',
        active: true,
        // Seconds until an event can be found: a write is answered when it can.
        autocommit: 0,
        // All data of a property lies in one slot, so in one shard of a cluster.
        shards: 1,
        replicas: await countReplicas(connection, property),
      },
    ]),
  );
  return { ...route, right: 'get' };
}
