/** A crowd through kills at random times: two collectors behind one address, Redis on `always`. */
import { pause } from './children.ts';
import { runCrowd } from './crowd-child.ts';
import type { Fault, Scale } from './fault.ts';
import { judge } from './judge.ts';
import { type Kill, killSchedule } from './kill-schedule.ts';
import type { Finding } from './line.ts';
import { crowdArguments, stageProblems, withScratch } from './run-fault.ts';
import { openStage, type Stage } from './stage.ts';

export interface RandomKillOptions {
  readonly seed: number;
  readonly kills: number;
  readonly scale: Scale;
  readonly say: (line: string) => void;
}

/** After the last kill: time to come back and to go on for a while. */
const calmMs = 6000;

export function runRandomKills({ seed, kills, scale, say }: RandomKillOptions): Promise<Finding> {
  const schedule = killSchedule(seed, kills);
  for (const { atMs, victim, downMs } of schedule)
    say(`   at ${(atMs / 1000).toFixed(1)} s ${victim}, down for ${(downMs / 1000).toFixed(1)} s`);
  const lastMs = schedule.at(-1)?.atMs ?? 0;
  const longer = { ...scale, durationMs: lastMs + calmMs };
  const fault: Fault = {
    name: 'r',
    does: () => `${kills} random kills, seed ${seed}`,
    fsync: 'always',
    collectors: 2,
    front: true,
    expects: 'exact',
    outageMs: () =>
      Math.max(...schedule.filter(({ victim }) => victim === 'Redis').map((kill) => kill.downMs), 0),
    strike: (stage) => strikeAll(stage, schedule),
  };
  return withScratch(async (directory) => {
    const stage = await openStage({ ...fault, directory });
    try {
      const running = runCrowd(directory, 'run', stage.target, crowdArguments(longer, seed));
      await Promise.race([stage.arrival(), running]);
      await fault.strike(stage, longer);
      const end = await running;
      const problems = [...judge(fault, longer, end, await stage.totals()), ...stageProblems(stage)];
      return { name: fault.name, does: fault.does(longer), result: end.result, problems };
    } finally {
      await stage.close();
    }
  });
}

async function strikeAll(stage: Stage, schedule: readonly Kill[]): Promise<void> {
  await Promise.all(
    schedule.map(async (kill) => {
      await pause(kill.atMs);
      const victim =
        kill.victim === 'Redis' ? stage.redis : stage.collectors[kill.victim === 'collector 1' ? 0 : 1];
      await victim?.kill();
      await pause(kill.downMs);
      await victim?.start();
    }),
  );
}
