/** Runs a crowd through one fault, in a scratch directory of its own. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatDuration } from '../../server/base/units.ts';
import { pause } from './children.ts';
import { type CrowdEnd, runCrowd } from './crowd-child.ts';
import type { Fault, Scale } from './fault.ts';
import { judge } from './judge.ts';
import type { Finding } from './line.ts';
import { openStage, type Stage } from './stage.ts';

/** The options that every crowd here has. */
export function crowdArguments(scale: Scale, seed: number): string[] {
  const { visitors, heartbeat, durationMs } = scale;
  const options = { duration: `${durationMs}ms`, heartbeat, seed, 'log-clients': 0 };
  return [
    String(visitors),
    ...Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]),
  ];
}

export async function withScratch<Value>(work: (directory: string) => Promise<Value>): Promise<Value> {
  const directory = mkdtempSync(join(tmpdir(), 'crowdbeat-chaos-'));
  const remove = (): void => rmSync(directory, { recursive: true, force: true });
  // Also where Ctrl-C ends the program; what runs in it is ended before (children.ts).
  process.once('exit', remove);
  try {
    return await work(directory);
  } finally {
    process.off('exit', remove);
    remove();
  }
}

export function runFault(fault: Fault, scale: Scale, seed: number): Promise<Finding> {
  return withScratch(async (directory) => {
    const stage = await openStage({ ...fault, directory });
    try {
      return await runOn(stage, fault, scale, seed, directory);
    } finally {
      await stage.close();
    }
  });
}

async function runOn(stage: Stage, fault: Fault, scale: Scale, seed: number, directory: string) {
  const args = [...crowdArguments(scale, seed), ...(fault.crowd?.(scale) ?? [])];
  const running = runCrowd(directory, 'run', stage.target, args);
  await Promise.race([stage.arrival(), running]);
  await pause(scale.afterMs);
  await fault.strike(stage, scale);
  const end = await running;
  const problems = [...judge(fault, scale, end, await stage.totals()), ...stageProblems(stage)];
  if (end.result !== undefined) problems.push(...(fault.check?.(end.result, stage) ?? []));
  if (fault.expects === 'emptied') problems.push(...(await secondRun(stage, scale, seed, directory)));
  const does = `${fault.does(scale)}, ${formatDuration(scale.afterMs)} into the run`;
  return { name: fault.name, does, result: end.result, problems };
}

/** Whatever breaks around it is expected; a collector with an internal error of its own is not. */
export function stageProblems({ collectors }: Stage): string[] {
  return collectors
    .filter(({ said }) => said !== '')
    .map(({ said }) => `a collector said: ${said.trim().slice(0, 300)}`);
}

/** On the property that was emptied under the first: it must be as exact as if nothing had been. */
async function secondRun(stage: Stage, scale: Scale, seed: number, directory: string): Promise<string[]> {
  const shorter = { ...scale, durationMs: Math.min(scale.durationMs, 10_000) };
  const running = runCrowd(directory, 'second', stage.target, crowdArguments(shorter, seed + 1));
  const { code, result, output }: CrowdEnd = await running;
  if (code === 0 && result?.audit?.ok === true) return [];
  return [
    `second run: exit code ${code}, ${(result?.audit?.reasons ?? [output.trim().slice(-300)]).join('; ')}`,
  ];
}
