/** `crowdbeat chaos`: a crowd through every fault, one after the other, and then through random kills. */
import { CrowdbeatError } from '../../server/base/errors.ts';
import type { Fault, Scale } from './fault.ts';
import { faults } from './faults.ts';
import { type Finding, findingLines, isInvalid } from './line.ts';
import { runRandomKills } from './random-kills.ts';
import { runFault } from './run-fault.ts';

export interface ChaosOptions {
  /** Letters of faults, `r` for the random kills; empty: all. */
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
  const chosen = names.length === 0 ? [...faults.map(({ name }) => name), randomKillsName] : names;
  const runs = chosen.map((name) => ({ name, fault: faultOf(name) }));
  say(`crowds of ${scale.visitors} visitors, seed ${seed} (--seed ${seed} repeats it)`);
  let good = true;
  for (const { fault } of runs) {
    // Starting killed collectors takes the generator's processor away again and again, so that random kills
    // ask only whether all is exact; of a single fault a valid measurement is asked, too.
    const isGood =
      fault === undefined
        ? isExpected(await runRandomKills({ seed, kills, scale, say }), say)
        : await untilValid(fault, () => runFault(fault, scale, seed), say);
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
    ...faults.map((fault) => `${fault.name}  ${fault.does(scale)}`),
    `${randomKillsName}  ${kills} random kills of two collectors and Redis (always)`,
  ];
}

/** Undefined: the random kills. */
function faultOf(name: string): Fault | undefined {
  const fault = faults.find((one) => one.name === name);
  if (fault === undefined && name !== randomKillsName) {
    const known = [...faults.map((one) => one.name), randomKillsName].join(', ');
    throw new CrowdbeatError('CB_OPTION', `chaos: needs faults out of ${known}, got ${JSON.stringify(name)}`);
  }
  return fault;
}
