/**
 * Runs a session: pairs of trials in the planned order, each on the disk as soon as it has ended, so that a session
 * that is killed keeps them; then what they say.
 */
import { readFileSync } from 'node:fs';
import type { Clock } from '../../server/base/clock.ts';
import { messageOf } from '../../server/base/errors.ts';
import {
  type Comparison,
  compareSession,
  comparisonShape,
  indexEntryOf,
  mayStopEarly,
  pairSeed,
  plannedFloors,
  planSession,
} from '../compare/index.ts';
import {
  type Arm,
  areIdentical,
  type BenchPlaces,
  describeArm,
  type Floors,
  floorsShape,
  newSessionId,
  readEnvironment,
  readRecord,
  type Session,
  SessionWriter,
  type StoredSession,
  sessionSchema,
  type Trial,
  thisMachine,
  writeRecord,
} from '../record/index.ts';
import { runTrial, type TrialLoad } from '../scenarios/trial.ts';
import type { Build } from './builds.ts';
import { workloadOf } from './workload.ts';

export interface SessionOrder {
  readonly kind: Session['kind'];
  readonly confirms: string | null;
  readonly base: ArmOrder;
  readonly candidate: ArmOrder;
  readonly pairs: number;
  readonly seed: number;
  /** Of the workload: sessions that are compared over time have one, whatever their own seed. */
  readonly workloadSeed: number;
  readonly load: TrialLoad;
  readonly tool: string;
  readonly places: BenchPlaces;
  readonly clock: Clock;
  readonly say: (line: string) => void;
}

export interface ArmOrder {
  readonly build: Build;
  /** Further options of `serve`. */
  readonly serveOptions: readonly string[];
}

/** The session with its trials, ended or as far as it came. Throws when a trial could not be run at all. */
export async function runSession(order: SessionOrder): Promise<StoredSession> {
  const session = sessionOf(order);
  const writer = new SessionWriter(order.places, session);
  order.say(`session ${session.id}: ${order.pairs} pairs in ${writer.places.directory}`);
  const trials: Trial[] = [];
  const begunMs = order.clock.monotonicMs();
  for (const [at, first] of session.plan.order.entries()) {
    for (const [slot, arm] of (first === 'CB' ? (['C', 'B'] as const) : (['B', 'C'] as const)).entries()) {
      const trial = await runOne(order, writer, at + 1, slot, arm);
      writer.add(trial);
      trials.push(trial);
    }
    const perPairMs = (order.clock.monotonicMs() - begunMs) / (at + 1);
    const leftS = Math.round((perPairMs * (order.pairs - at - 1)) / 1000);
    order.say(`pair ${at + 1} of ${order.pairs}: ${pairText(trials)}, at most ${leftS} s to go`);
    if (mayStopEarly(session, trials)) {
      order.say(`after ${at + 1} pairs every gated metric is the same: that is enough`);
      break;
    }
  }
  return finish(writer, session, trials, order);
}

async function runOne(
  order: SessionOrder,
  writer: SessionWriter,
  pair: number,
  slot: number,
  arm: 'B' | 'C',
) {
  const { build, serveOptions } = arm === 'B' ? order.base : order.candidate;
  const hlog = writer.places.hlog(`p${String(pair).padStart(2, '0')}-${arm}`);
  const { load, clock, seed } = order;
  const trialBuild = { program: build.program, serveOptions };
  return runTrial({ arm, pair, slot, seed: pairSeed(seed, pair), load, build: trialBuild, hlog, clock });
}

function pairText(trials: readonly Trial[]): string {
  const last = trials.slice(-2).sort((a, b) => (a.arm < b.arm ? -1 : 1));
  const ops = Object.keys(last[0]?.ops ?? {});
  return ops
    .map(
      (op) =>
        `${op} p50 ${last.map(({ ops: of }) => `${Math.round(of[op]?.response.p50 ?? 0)}`).join(' -> ')} us`,
    )
    .join(', ');
}

function sessionOf(order: SessionOrder): Session {
  const { clock, kind, confirms, seed, load, tool } = order;
  const arms = { B: armOf(order.base), C: armOf(order.candidate) };
  const env = readEnvironment(thisMachine(), { name: 'redis', version: null });
  const workload = workloadOf(load, order.workloadSeed, tool);
  const aaFloor = plannedFloors(
    floorsIn(order.places, env.envClass, workload.workloadHash),
    env.envClass,
    workload.workloadHash,
  );
  return {
    schema: sessionSchema,
    id: newSessionId(clock.wallMs(), arms.C.sha),
    startedAt: new Date(clock.wallMs()).toISOString(),
    ...{ endedAt: null, kind, confirms, seed, arms, workload, env },
    identicalBuilds: areIdentical(arms.B, arms.C),
    plan: planSession(seed, { pairs: order.pairs, aaFloor }),
    guards: { invalidTrials: 0, reasons: [] },
    verdict: null,
  };
}

function armOf({ build, serveOptions }: ArmOrder): Arm {
  const arm = describeArm({
    directory: build.built,
    built: build.built,
    cmd: ['node', 'dist/scripts/crowdbeat.js', 'serve', ...serveOptions],
    config: Object.fromEntries(serveOptions.map((option, at) => [String(at), option])),
    mergeBase: build.mergeBase,
  });
  return { ...arm, sha: build.sha, dirty: build.dirty };
}

/** Undefined where none were measured, or where they can't be read: then margins are those of the table. */
function floorsIn(places: BenchPlaces, envClass: string, workloadHash: string): Floors | undefined {
  const path = places.floors(envClass, workloadHash);
  try {
    readFileSync(path);
  } catch {
    return undefined;
  }
  return readRecord(path, floorsShape);
}

function finish(
  writer: SessionWriter,
  session: Session,
  trials: readonly Trial[],
  order: SessionOrder,
): StoredSession {
  const stored = { session, trials, notes: [] };
  const comparison = compareSession(stored, { tool: order.tool });
  const dropped = comparison.pairs.dropped.flatMap(({ reasons }) => reasons);
  const ending = {
    endedAt: new Date(order.clock.wallMs()).toISOString(),
    guards: { invalidTrials: new Set(dropped.map((reason) => reason.split(':')[0])).size, reasons: dropped },
    verdict: comparison.verdict,
  };
  writer.end(ending, indexEntryOf({ ...stored, session: { ...session, ...ending } }, comparison));
  keepComparison(writer, comparison);
  return { ...stored, session: { ...session, ...ending } };
}

function keepComparison(writer: SessionWriter, comparison: Comparison): void {
  try {
    writeRecord(writer.places.comparison, comparisonShape, comparison);
  } catch (error) {
    // What was measured is on the disk, and the comparison can be made again from it.
    console.error(`crowdbeat: ${messageOf(error)}`);
  }
}
