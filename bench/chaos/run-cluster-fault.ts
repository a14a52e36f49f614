/** Runs three crowds through one fault of a cluster, in a scratch directory of its own. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { formatDuration } from '../../server/base/units.ts';
import type { TotalsReply } from '../../server/protocol/replies.ts';
import { eventually, pause } from './children.ts';
import { RedisCluster } from './cluster.ts';
import type { ClusterCrowd, ClusterFault } from './cluster-faults.ts';
import { Collector } from './collector.ts';
import { runCrowd } from './crowd-child.ts';
import type { Scale } from './fault.ts';
import { judge } from './judge.ts';
import type { Finding } from './line.ts';
import { crowdArguments, withScratch } from './run-fault.ts';

/** A crowd with its place in the cluster. */
interface Placed extends ClusterCrowd {
  readonly property: string;
  readonly slot: number;
  readonly collector: Collector;
}

/** One finding for each crowd. */
export function runClusterFault(fault: ClusterFault, scale: Scale, seed: number): Promise<Finding[]> {
  return withScratch(async (directory) => {
    const cluster = new RedisCluster(directory);
    const collectors: Collector[] = [];
    try {
      await cluster.start();
      // Two, so that what one does not know of the other's commits is seen, too.
      collectors.push(new Collector(cluster.url), new Collector(cluster.url));
      await Promise.all(collectors.map((collector) => collector.start()));
      const crowds = await place(fault.crowds, cluster, collectors);
      return await runOn(cluster, crowds, fault, scale, seed, directory);
    } finally {
      await Promise.all(collectors.map((collector) => collector.kill()));
      await cluster.stop();
    }
  });
}

/** Finds names of properties whose slots lie on the shards that the crowds ask for. */
async function place(
  crowds: readonly ClusterCrowd[],
  cluster: RedisCluster,
  collectors: readonly Collector[],
): Promise<Placed[]> {
  const portOfShard = new Map<number, number>();
  const placed: Placed[] = [];
  for (let number = 0; placed.length < crowds.length; number++) {
    const crowd = crowds[placed.length] as ClusterCrowd;
    // All keys of a property hash by what its braces hold: docs/api.md.
    const slot = await cluster.slotOf(`{chaos::p${number}}`);
    const { port } = await cluster.masterOf(slot);
    const wanted = portOfShard.get(crowd.shard);
    const isTaken = wanted === undefined && [...portOfShard.values()].includes(port);
    if (isTaken || (wanted !== undefined && wanted !== port)) continue;
    portOfShard.set(crowd.shard, port);
    const collector = collectors[placed.length % collectors.length] as Collector;
    placed.push({ ...crowd, property: `chaos/p${number}`, slot, collector });
  }
  return placed;
}

async function runOn(
  cluster: RedisCluster,
  crowds: readonly Placed[],
  fault: ClusterFault,
  scale: Scale,
  seed: number,
  directory: string,
): Promise<Finding[]> {
  const each = { ...scale, visitors: Math.ceil(scale.visitors / crowds.length) };
  const running = crowds.map(({ property, durability, collector }, index) => {
    // A home of its own: of two runs in one home the second joins the first.
    const home = join(directory, `crowd${index}`);
    mkdirSync(home);
    const args = [...crowdArguments(each, seed + index), '--property', property, '--durability', durability];
    return runCrowd(home, 'run', collector.url, args);
  });
  const arrived = crowds.map((crowd) =>
    eventually('the crowd arrives', async () => (await totalsOf(crowd)).documents > 0),
  );
  await Promise.race([Promise.all(arrived), Promise.all(running)]);
  await pause(scale.afterMs);
  const stored = async (crowd: number): Promise<number> =>
    (await totalsOf(crowds[crowd] as Placed)).documents;
  await fault.strike({ cluster, slots: crowds.map(({ slot }) => slot), stored }, scale);
  const ends = await Promise.all(running);
  return Promise.all(
    crowds.map(async (crowd, index) => {
      const end = ends[index] as (typeof ends)[number];
      const totals = await totalsOf(crowd);
      const problems = judge({ expects: crowd.expects, outageMs: () => 0 }, each, end, totals);
      problems.push(...lossProblems(crowd, end.result?.events.acked, totals), ...complaints(crowd.collector));
      const does = `${fault.does(scale)}, ${formatDuration(scale.afterMs)} into the run; crowd ${index + 1}: ${crowd.durability}`;
      return { name: fault.name, does, result: end.result, problems };
    }),
  );
}

/** What a master took alone must be missing after its death, or the fault did not work. */
function lossProblems({ expects }: Placed, acked: number | undefined, totals: TotalsReply): string[] {
  const isWhole = expects === 'named' && acked === totals.documents;
  return isWhole ? ['nothing was lost: the fault did not work'] : [];
}

function complaints({ said }: Collector): string[] {
  return said === '' ? [] : [`a collector said: ${said.trim().slice(0, 300)}`];
}

async function totalsOf({ collector, property }: Placed): Promise<TotalsReply> {
  const url = new URL(`/totals?property=${property}`, collector.url);
  const response = await fetch(url);
  if (response.status !== 200) return { byType: {}, bots: {}, sessions: 0, documents: 0 };
  return (await response.json()) as TotalsReply;
}
