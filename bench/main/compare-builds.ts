/** Two builds in one session, confirmed by a second one where the first flagged something. */
import type { Clock } from '../../server/base/clock.ts';
import { CrowdbeatError } from '../../server/base/errors.ts';
import { type Comparison, compareSession, comparisonShape, floorsOf } from '../compare/index.ts';
import {
  type BenchPlaces,
  type Floors,
  floorsShape,
  type StoredSession,
  writeRecord,
} from '../record/index.ts';
import { type Reported, writeOutputs } from '../report/index.ts';
import type { TrialLoad } from '../scenarios/trial.ts';
import { pairsMin } from '../stats/index.ts';
import { Builds } from './builds.ts';
import { type ArmOrder, runSession, type SessionOrder } from './session-run.ts';

export interface CompareBuildsOptions {
  readonly base: string;
  readonly candidate: string;
  readonly pairs: number;
  readonly seed: number;
  readonly load: TrialLoad;
  readonly confirm: boolean;
  /** Delays the candidate on purpose, `query=20%`: it must be found. */
  readonly injectDelay?: string | undefined;
  readonly root: string;
  readonly places: BenchPlaces;
  readonly tool: string;
  readonly clock: Clock;
  readonly say: (line: string) => void;
}

const workloadSeed = 1;

/** Throws CrowdbeatError for a commit that isn't there or doesn't build, and for a trial that can't be run. */
export async function compareBuilds(options: CompareBuildsOptions): Promise<Reported> {
  const { places, say, root } = options;
  const builds = new Builds(root, say);
  try {
    const order = orderOf(options, builds);
    warn(options, order);
    const first = await runSession(order);
    let comparison = compareSession(first, { tool: options.tool });
    const { toConfirm } = comparison;
    if (options.confirm && toConfirm.metrics.length > 0) {
      say(`flagged: ${toConfirm.metrics.join(', ')}; a fresh session has to show it again`);
      const confirmation = await runSession({
        ...order,
        ...{ kind: 'confirm', confirms: first.session.id, pairs: toConfirm.pairs, seed: options.seed + 1 },
      });
      comparison = compareSession(first, { tool: options.tool, confirmation });
    }
    return keep(first, comparison, places);
  } finally {
    builds.remove();
  }
}

function orderOf(options: CompareBuildsOptions, builds: Builds): SessionOrder {
  const { injectDelay, pairs, seed, load, tool, places, clock, say } = options;
  const base: ArmOrder = { build: builds.get(options.base), serveOptions: [] };
  const serveOptions = injectDelay === undefined ? [] : ['--inject-delay', injectDelay];
  const candidate: ArmOrder = { build: builds.get(options.candidate), serveOptions };
  const kind = options.base === options.candidate && injectDelay === undefined ? 'aa' : 'compare';
  return { kind, confirms: null, base, candidate, pairs, seed, workloadSeed, load, tool, places, clock, say };
}

function warn({ candidate, pairs, say }: CompareBuildsOptions, { candidate: { build } }: SessionOrder): void {
  const least = pairsMin;
  if (pairs < least)
    say(`note: with ${pairs} pairs nothing can be flagged; ${least} are the fewest, 12 the usual number`);
  if (candidate === '.' && build.dirty === true)
    say('note: the tree has uncommitted changes; what is measured is dist as it was built last');
}

function keep(stored: StoredSession, comparison: Comparison, places: BenchPlaces): Reported {
  const { comparison: file, directory } = places.session(stored.session.id);
  writeRecord(file, comparisonShape, comparison);
  const reported = { stored, comparison };
  writeOutputs(reported, directory);
  return reported;
}

/**
 * Measures how far one build comes out apart from itself, and keeps it as the floor of this class of machine. At least
 * one session must be usable, or CB_OPTION says why none was.
 */
export async function measureFloor(
  options: Omit<CompareBuildsOptions, 'base' | 'candidate' | 'confirm'>,
  sessions: number,
): Promise<{ readonly floors: Floors; readonly reports: readonly Reported[] }> {
  const reports: Reported[] = [];
  for (let at = 0; at < sessions; at += 1) {
    const seed = options.seed + at * 1000;
    reports.push(await compareBuilds({ ...options, seed, base: '.', candidate: '.', confirm: false }));
  }
  const usable = reports.filter(
    ({ comparison: { verdict, reasons, falseAlarms } }) =>
      verdict !== 'INVALID' || reasons.length === falseAlarms.length,
  );
  if (usable.length === 0) {
    const why = reports.flatMap(({ comparison }) => comparison.reasons).join('; ');
    throw new CrowdbeatError('CB_OPTION', `aa: no session could be used: ${why}`);
  }
  const floors = floorsOf(
    usable.map(({ stored, comparison }) => ({ startedAt: stored?.session.startedAt ?? '', comparison })),
  );
  writeRecord(options.places.floors(floors.envClass, floors.workloadHash), floorsShape, floors);
  return { floors, reports };
}
