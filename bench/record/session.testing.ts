/** Sessions and trials for tests: whole and valid; a test changes what it is about. */
import { type Arm, type Environment, type Session, sessionSchema } from './session.ts';
import { type Latency, type Trial, trialSchema } from './trial.ts';

export const armB: Arm = {
  sha: '1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d',
  dirty: false,
  mergeBase: true,
  buildHash: 'sha256:bbbb',
  version: '0.1.0',
  cmd: ['node', 'dist/scripts/crowdbeat.js', 'serve'],
  configHash: 'sha256:0000',
};

export const armC: Arm = {
  ...armB,
  sha: '9f8e7d6c5b4a39281706f5e4d3c2b1a09f8e7d6c',
  mergeBase: false,
  buildHash: 'sha256:cccc',
};

export const machine: Environment = {
  envClass: 'sha256:a91f',
  arch: 'x64',
  platform: 'linux',
  cpuModel: 'Some CPU at 2.45 GHz',
  nproc: 2,
  memMiB: 7900,
  virt: 'KVM',
  container: null,
  kernel: '6.1.0-18',
  node: '20.19.0',
  v8: '11.3.244',
  server: { name: 'redis', version: '7.0.15' },
  cgroup: { cpuQuota: null, memMax: null },
  governor: null,
  turbo: null,
  smt: false,
  thp: 'madvise',
  aslr: 2,
  clockSource: 'tsc',
  pmu: false,
  runnerLabel: null,
  observed: { hostname: 'bench', uptimeS: 1000, load1: 0.2, stealPct: 0.05 },
};

/** A session of 12 pairs whose arms come first in turn. */
export function sampleSession(changes: Partial<Session> = {}): Session {
  return {
    schema: sessionSchema,
    id: '20261121T184609Z-9f8e7d6-0b8d',
    startedAt: '2026-11-21T18:46:09.000Z',
    endedAt: '2026-11-21T19:00:09.000Z',
    kind: 'compare',
    confirms: null,
    seed: 424242,
    arms: { B: armB, C: armC },
    identicalBuilds: false,
    workload: {
      name: 'mixed',
      scenarioHash: 'sha256:5ce0',
      datasetHash: 'sha256:da7a',
      generatorVersion: '0.1.0',
      workloadHash: 'sha256:3070',
      mode: 'open',
      arrival: 'poisson',
      ratePerSec: 2000,
      warmupS: 10,
      measureS: 20,
      mix: { view: 0.95, query: 0.05 },
    },
    env: machine,
    plan: samplePlan(12),
    guards: { invalidTrials: 0, reasons: [] },
    verdict: null,
    ...changes,
  };
}

export function samplePlan(pairs: number): Session['plan'] {
  return {
    pairs,
    order: Array.from({ length: pairs }, (_, at): 'BC' | 'CB' => (at % 2 === 0 ? 'BC' : 'CB')),
    alpha: 0.005,
    delta: {},
    aaFloor: {},
    counters: { commands: { tolerance: 0, higherIsWorse: true } },
    generatorCeilingPerSec: 20_000,
  };
}

/** 38,000 requests with a p50 of `p50` us, and the rest in proportion. */
export function sampleLatency(p50: number, n = 38_000): Latency {
  const times = (factor: number): number => Math.round(p50 * factor * 10) / 10;
  return {
    n,
    min: times(0.4),
    p50: times(1),
    p90: times(1.8),
    p99: times(4),
    p999: times(9),
    max: times(20),
    mean: times(1.2),
    hdr: null,
  };
}

/** Trial of a pair and an arm, in the order of `samplePlan`; `p50` in us of its only operation, `view`. */
export function sampleTrial(pair: number, arm: 'B' | 'C', p50: number, changes: Partial<Trial> = {}): Trial {
  const first = pair % 2 === 1 ? 'B' : 'C';
  return {
    schema: trialSchema,
    trialId: `p${String(pair).padStart(2, '0')}-${arm}`,
    pair,
    slot: arm === first ? 0 : 1,
    arm,
    t0: '2026-11-21T18:46:20.000Z',
    warmupS: 10,
    measureS: 20,
    buildHash: arm === 'B' ? armB.buildHash : armC.buildHash,
    rate: { offered: 40_000, sent: 40_000, completed: 39_998, errors: 2, unsent: 0, timeouts: 0 },
    ops: { view: { response: sampleLatency(p50), service: sampleLatency(p50 * 0.9) } },
    generator: {
      sendLag: { ...sampleLatency(40), p99: 310, p999: 400 },
      elu: 0.41,
      loopDelayP99Us: 900,
      cpuS: 8.1,
      blockedShare: 0,
    },
    server: { cpuUserS: 9.2, cpuSysS: 2.1, rssPeakMiB: 212, heapPostGcMiB: 88.3, gcPauseMsTotal: 41 },
    counters: { commands: 40_211 },
    host: { stealPct: 0.1, ctxtPerS: 21_000, throttled: 0, swapIn: 0 },
    little: { L: 1.62, lambdaW: 1.6, relErr: 0.0125 },
    steady: { ok: true, slopePctPerMin: 0.4, lastHalfVsFirst: 1.002 },
    control: { spinNsPerOp: 3.21, memoryGBs: 7.9 },
    valid: true,
    reasons: [],
    ...changes,
  };
}
