/** How many copies of a property's data there are beside the one that is written to. */
import type { PropertyName } from '../protocol/property.ts';
import { makeScript, type RedisConnection } from './connection.ts';
import { PropertyKeys } from './keys.ts';

// A script, so that a cluster asks the node that has the property's slot; the key is only named for that.
const replicasScript = makeScript(`#!lua flags=no-writes
return string.match(redis.call('INFO', 'replication'), 'connected_slaves:(%d+)') or '0'
`);

/** Replicas that are connected to the property's Redis now. Throws CB_REDIS_UNREACHABLE. */
export async function countReplicas(connection: RedisConnection, property: PropertyName): Promise<number> {
  return Number(await connection.readScript(replicasScript, [new PropertyKeys(property).generation], []));
}
