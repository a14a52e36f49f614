/**
 * What a cluster needs beyond one server: commands that wait while their slot is on its way, and the node that a
 * key's slot belongs to.
 *
 * A command that surely did not run is sent again, for `unrunRetryMs` at most: the slot is being moved (TRYAGAIN:
 * a commit's keys lie on two nodes for a moment), its master is being replaced (CLUSTERDOWN, MOVED to and fro), or
 * there was no connection to send it by. One that may have run is never sent again: its caller is told.
 */
import { Cluster, Command, type Redis } from 'ioredis';
import type { Clock } from '../base/clock.ts';
import { isPassingReply, isRedirection, NoNodeError } from './connection-errors.ts';

/** How long a command waits for its slot; a failover takes the cluster's node timeout and a second or two. */
export const unrunRetryMs = 5000;
const pauseMs = 50;

/** @param make a new command for each attempt, as one can be sent only once */
export async function sendUntilRun(
  cluster: Cluster,
  make: () => Command,
  clock: Clock,
  boundMs: number,
): Promise<unknown> {
  const endMs = clock.monotonicMs() + boundMs;
  for (;;) {
    const attempt = new Attempt(make());
    try {
      return await attempt.send(cluster);
    } catch (error) {
      const surelyNotRun = !attempt.mayHaveRun || isPassingReply(error);
      const isClosed = cluster.status === 'end' || cluster.status === 'disconnecting';
      if (!surelyNotRun || isClosed || clock.monotonicMs() + pauseMs > endMs) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}

/** A command, and whether bytes of it went to a node that did not say "elsewhere" or "later". */
class Attempt {
  mayHaveRun = false;
  readonly #command: Command;

  constructor(command: Command) {
    this.#command = command;
    const write = command.toWritable.bind(command);
    command.toWritable = (socket) => {
      this.mayHaveRun = true;
      return write(socket);
    };
  }

  send(cluster: Cluster): Promise<unknown> {
    const reply = Promise.resolve(cluster.sendCommand(this.#command));
    // By now ioredis follows redirections in `reject`; each of them also says that the command did not run.
    const follow = this.#command.reject;
    this.#command.reject = (error) => {
      if (isRedirection(error)) this.mayHaveRun = false;
      follow.call(this.#command, error);
    };
    return reply;
  }
}

/** `host:port` of the master that has the key's slot, as far as is known. */
export function nodeNameOf(cluster: Cluster, key: string): string {
  const slot = new Command('get', [key]).getSlot() ?? -1;
  return cluster.slots[slot]?.[0] ?? '';
}

/** The connection to that master. Throws NoNodeError if there is none now. */
export function nodeOfKey(client: Redis | Cluster, key: string): Redis {
  if (!(client instanceof Cluster)) return client;
  const name = nodeNameOf(client, key);
  const node = client.nodes('master').find(({ options }) => `${options.host}:${options.port}` === name);
  if (node !== undefined) return node;
  throw new NoNodeError(`no connection to the node of the slot of ${key}`);
}

/**
 * The masters that hold keys of the key's slot, and which of them it belongs to, as one text: the same before and
 * after means that nothing moved. Undefined while the slot is spread over two.
 */
export async function slotPlaceOf(cluster: Cluster, key: string): Promise<string | undefined> {
  const slot = String(new Command('get', [key]).getSlot());
  const owner = nodeNameOf(cluster, key);
  const masters = cluster.nodes('master');
  const counts = await Promise.all(masters.map((node) => node.call('CLUSTER', 'COUNTKEYSINSLOT', slot)));
  const holders = masters
    .filter((_node, index) => Number(counts[index]) > 0)
    .map(({ options }) => `${options.host}:${options.port}`);
  return holders.some((name) => name !== owner) ? undefined : owner;
}
