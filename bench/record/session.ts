/**
 * `session.json`: who was measured, where, with what plan, and what came of it. Written when a session
 * begins, and once more when it ends; a session that was killed has no `endedAt` and no `verdict`.
 *
 * Arms are B, the base, and C, the candidate; a session of one arm has B alone.
 */
import { versioned } from './schema.ts';
import * as shape from './shape.ts';

export const sessionSchema = 'crowdbeat.bench-session/1';

export const verdicts = [
  'SAME',
  'REGRESSED',
  'IMPROVED',
  'INCONCLUSIVE',
  'INVALID',
  'NOT_COMPARABLE',
] as const;

export type Verdict = (typeof verdicts)[number];

const { text, flag, count, number, atLeastZero, share, nullable, list, byName, object, oneOf } = shape;

/** Which build an arm was. Two arms are one build if buildHash and configHash are equal and known. */
export const armShape = object({
  /** Commit; null outside git. */
  sha: nullable(text),
  /** Uncommitted changes; null outside git. */
  dirty: nullable(flag),
  mergeBase: flag,
  /** `sha256:…` over what the server runs, read back from the running server where it says it. */
  buildHash: nullable(text),
  version: nullable(text),
  cmd: list(text),
  /** Over the options that the arm was started with; an injected delay changes it. */
  configHash: nullable(text),
});

export const workloadShape = object({
  name: text,
  scenarioHash: text,
  datasetHash: text,
  generatorVersion: text,
  /** See `workloadHashOf`. */
  workloadHash: text,
  mode: oneOf('open', 'closed'),
  arrival: oneOf('poisson', 'constant', 'replayed', 'closed'),
  /** Offered, of all operations together; null in a closed loop. */
  ratePerSec: nullable(atLeastZero),
  warmupS: atLeastZero,
  measureS: atLeastZero,
  /** Shares of the operations, by name. */
  mix: byName(share),
});

/** What makes two machines one class is marked in `envClassOf`; the rest is written down and not compared. */
export const environmentShape = object({
  envClass: text,
  arch: text,
  platform: text,
  cpuModel: text,
  nproc: count,
  memMiB: count,
  /** `hypervisor`, the product's name where it is told, or `none`. */
  virt: text,
  container: nullable(text),
  kernel: text,
  node: text,
  v8: text,
  server: object({ name: text, version: nullable(text) }),
  cgroup: object({ cpuQuota: nullable(atLeastZero), memMax: nullable(count) }),
  governor: nullable(text),
  turbo: nullable(flag),
  smt: nullable(flag),
  thp: nullable(text),
  aslr: nullable(count),
  clockSource: nullable(text),
  pmu: nullable(flag),
  runnerLabel: nullable(text),
  /** Of this hour, not of this machine: never part of its class. */
  observed: object({
    hostname: text,
    uptimeS: atLeastZero,
    load1: atLeastZero,
    /** Since boot, in per cent of all CPU time. */
    stealPct: nullable(atLeastZero),
  }),
});

export const planShape = object({
  pairs: count,
  /** One entry a pair: which arm came first; `B` in a session of one arm. */
  order: list(oneOf('BC', 'CB', 'B')),
  alpha: share,
  /** Margins that this session asked for, by metric; the others are those of the table. */
  delta: byName(share),
  /** Floors from sessions of one build against itself, by metric. */
  aaFloor: byName(object({ floor: atLeastZero, sessions: count })),
  /** Counters that are compared exactly, with the tolerance that is granted (0 as a rule). */
  counters: byName(object({ tolerance: atLeastZero, higherIsWorse: flag })),
  /** Requests a second at which a server that does nothing was saturated, measured at the start. */
  generatorCeilingPerSec: nullable(atLeastZero),
});

export const sessionShape = versioned(
  sessionSchema,
  object({
    schema: oneOf(sessionSchema),
    id: shape.fileName,
    startedAt: shape.instant,
    endedAt: nullable(shape.instant),
    kind: oneOf('compare', 'aa', 'confirm', 'capacity', 'single'),
    /** The session that this one is to confirm; its flagged metrics only. */
    confirms: nullable(shape.fileName),
    seed: count,
    arms: object({ B: armShape, C: nullable(armShape) }),
    identicalBuilds: flag,
    workload: workloadShape,
    env: environmentShape,
    plan: planShape,
    guards: object({ invalidTrials: count, reasons: list(text) }),
    verdict: nullable(oneOf(...verdicts)),
  }),
);

export type Session = shape.Of<typeof sessionShape>;
export type Arm = shape.Of<typeof armShape>;
export type Workload = shape.Of<typeof workloadShape>;
export type Environment = shape.Of<typeof environmentShape>;
export type Plan = shape.Of<typeof planShape>;

/** `index.jsonl`: one line a session, so that a trend needs no other file. */
export const indexSchema = 'crowdbeat.bench-index/1';

export const indexEntryShape = versioned(
  indexSchema,
  object({
    schema: oneOf(indexSchema),
    id: shape.fileName,
    startedAt: shape.instant,
    kind: text,
    /** Commits of the arms; the last is the one that the medians are of. */
    shas: list(nullable(text)),
    envClass: text,
    workloadHash: text,
    verdict: nullable(oneOf(...verdicts)),
    /** Of the newest arm, over its valid trials, by metric, in the metric's unit. */
    medians: byName(number),
    /** Metrics that were flagged and not reproduced: what recurs over commits is worth a look. */
    notReproduced: list(text),
  }),
);

export type IndexEntry = shape.Of<typeof indexEntryShape>;
