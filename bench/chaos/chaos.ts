/** `crowdbeat chaos`: a crowd through every fault, one after the other, and then through random kills. */
import { CrowdbeatError } from '../../server/base/errors.ts';
import { type ClusterFault, clusterFaults } from './cluster-faults.ts';
import type { Fault, Scale } from './fault.ts';
import { faults } from './faults.ts';
import { type Finding, findingLines, isInvalid } from './line.ts';
import { runRandomKills } from './random-kills.ts';
import { runClusterFault } from './run-cluster-fault.ts';
import { runFault } from './run-fault.ts';

export interface ChaosOptions {
  /** Names of faults, `r` for the random kills; empty: all. */
  readonly names: readonly string[];
  readonly seed: number;
  readonly kills: number;
  readonly scale: Scale;
  readonly say: (line: string) => void;
}

const randomKillsName = 'r';

const attemptsMax = 3;

/** True if everything was as expected. Throws CrowdbeatError CB_OPTION if a name is unknown. */
export async function runChaos(options: ChaosOptions): Promise<boolean> {
  const { names, scale, seed, kills, say } = options;
  const chosen = names.length === 0 ? allNames : names;
  const runs = chosen.map((name) => faultOf(name));
  say(`crowds of ${scale.visitors} visitors, seed ${seed} (--seed ${seed} repeats it)`);
  let good = true;
  for (const fault of runs) {
    // Starting killed collectors takes the generator's processor away again and again, and so do three crowds
    // beside six nodes of a cluster: they ask only whether all is exact. Of any other fault a valid measurement
    // is asked, too.
    let isGood: boolean;
    if (fault === undefined) isGood = isExpected(await runRandomKills({ seed, kills, scale, say }), say);
    else if ('crowds' in fault)
      isGood = (await runClusterFault(fault, scale, seed))
        .map((finding) => isExpected(finding, say))
        .every(Boolean);
    else isGood = await untilValid(fault, () => runFault(fault, scale, seed), say);
    good = good && isGood;
  }
  return good;
}

function isExpected(finding: Finding, say: (line: string) => void): boolean {
  for (const line of findingLines(finding)) say(line);
  return finding.problems.length === 0;
}

/** Problems count at once; only a machine that was too busy for the generator gets another chance. */
async function untilValid(
  { expects }: Fault,
  run: () => Promise<Finding>,
  say: (line: string) => void,
): Promise<boolean> {
  for (let attempt = 1; attempt <= attemptsMax; attempt++) {
    const finding = await run();
    if (!isExpected(finding, say)) return false;
    if (expects !== 'exact' || !isInvalid(finding)) return true;
    if (attempt < attemptsMax) say('   the generator did not keep up with its own plan, so once more');
  }
  return false;
}

/** One line for each fault. */
export function listFaults(scale: Scale, kills: number): string[] {
  return [
    ...[...faults, ...clusterFaults].map((fault) => `${fault.name}  ${fault.does(scale)}`),
    `${randomKillsName}  ${kills} random kills of two collectors and Redis (always)`,
  ];
}

const allNames = [...faults, ...clusterFaults].map(({ name }) => name).concat(randomKillsName);

/** Undefined: the random kills. */
function faultOf(name: string): Fault | ClusterFault | undefined {
  const fault = [...faults, ...clusterFaults].find((one) => one.name === name);
  if (fault !== undefined || name === randomKillsName) return fault;
  const rule = `needs faults out of ${allNames.join(', ')}`;
  throw new CrowdbeatError('CB_OPTION', `chaos: ${rule}, got ${JSON.stringify(name)}`);
}
