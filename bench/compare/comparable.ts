/** Whether two records may be compared at all. Where they may not, there is a reason and never a figure. */
import { CrowdbeatError } from '../../server/base/errors.ts';
import type { Arm, Session } from '../record/index.ts';

/** Why the figures of two sessions can't stand side by side; empty if they can. */
export function notComparable(base: Session, candidate: Session): string[] {
  return [
    ...differing('the machine', base.env.envClass, candidate.env.envClass, () =>
      differencesOf(base.env, candidate.env),
    ),
    ...differing('the workload', base.workload.workloadHash, candidate.workload.workloadHash, () =>
      differencesOf({ ...base.workload, seed: base.seed }, { ...candidate.workload, seed: candidate.seed }),
    ),
  ];
}

/**
 * Why a session can't confirm another: it must do the same work on the same two builds, once more, with other
 * chances. It may be on another machine; both arms are there.
 */
export function notConfirming(first: Session, second: Session): string[] {
  const same = (what: string, a: unknown, b: unknown): string[] =>
    a === b
      ? []
      : [`the confirming session ${second.id} has another ${what}: ${String(b)}, not ${String(a)}`];
  const scenario = ({ workload }: Session): string =>
    `${workload.name} ${workload.scenarioHash} ${workload.datasetHash}`;
  return [
    ...(second.confirms === first.id && second.id !== first.id
      ? []
      : [`the session ${second.id} was not made to confirm ${first.id}`]),
    ...(second.seed === first.seed
      ? [`the confirming session ${second.id} has the same seed, ${first.seed}`]
      : []),
    ...same('workload', scenario(first), scenario(second)),
    ...(['B', 'C'] as const).flatMap((arm) =>
      same(`build as arm ${arm}`, buildOf(first.arms[arm]), buildOf(second.arms[arm])),
    ),
  ];
}

/** A commit if it is one; a tree with changes, or outside git, is known by its files only. */
function buildOf(arm: Arm | null): string {
  if (arm === null) return 'none';
  const build = arm.sha === null || arm.dirty !== false ? arm.buildHash : arm.sha;
  return `${build} with options ${arm.configHash}`;
}

/** The reason in an error of reading, if it says that a record is of another version; otherwise undefined. */
export function versionReason(error: unknown): string | undefined {
  return error instanceof CrowdbeatError && error.code === 'CB_RECORD_VERSION' ? error.message : undefined;
}

function differing(what: string, a: string, b: string, why: () => string): string[] {
  return a === b ? [] : [`${what} is another: ${why()}`];
}

/** The members that differ, so that nobody has to compare hashes. */
function differencesOf(a: Readonly<Record<string, unknown>>, b: Readonly<Record<string, unknown>>): string {
  const passedOver = ['envClass', 'workloadHash', 'observed'];
  const parts = Object.keys(a).flatMap((name) => {
    const [one, other] = [JSON.stringify(a[name]), JSON.stringify(b[name])];
    return one === other || passedOver.includes(name) ? [] : [`${name} ${one} and ${other}`];
  });
  return parts.length === 0 ? 'the hashes differ' : parts.join(', ');
}
