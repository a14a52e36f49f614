/**
 * One trial: a fresh collector with a fresh Redis in a folder of its own, a crowd at a fixed load, then questions at a
 * fixed rate about what that crowd left. The generator is this program's, whichever build the collector is.
 *
 *   start · control probe · crowd: warm-up, window · questions: warm-up, window · end
 */
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Clock } from '../../server/base/clock.ts';
import { CrowdbeatError } from '../../server/base/errors.ts';
import type { RunResult } from '../../sim/run/index.ts';
import { childOf, startServer } from '../record/child.ts';
import {
  buildOfHealth,
  hostBetween,
  readHostCounters,
  readIntervalLog,
  type Trial,
  thisMachine,
  trialIdOf,
  trialSchema,
} from '../record/index.ts';
import { runBoundChild } from './bound-child.ts';
import { controlProbe } from './control-probe.ts';
import { programPath } from './crowd-process.ts';
import type { QueryLoad, QueryLoadResult } from './query-load.ts';
import { UsageSampler } from './server-usage.ts';
import { crowdFigures, generatorOf, rateOf } from './trial-figures.ts';

const queryLoadPath = fileURLToPath(new URL('./query-load.js', import.meta.url));

export interface TrialLoad {
  readonly visitors: number;
  readonly heartbeat: string;
  readonly warmupS: number;
  readonly measureS: number;
  readonly queryPerSec: number;
  readonly queryS: number;
}

export interface TrialArm {
  /** The program that is started: `<build>/scripts/crowdbeat.js`. */
  readonly program: string;
  /** Further options of `serve`, such as an injected delay. */
  readonly serveOptions: readonly string[];
}

export interface TrialPlan {
  readonly arm: 'B' | 'C';
  readonly pair: number;
  readonly slot: number;
  readonly seed: number;
  readonly load: TrialLoad;
  readonly build: TrialArm;
  /** Where the interval log of the crowd is kept. */
  readonly hlog: string;
  readonly clock: Clock;
}

const queryWarmupS = 1;

/** Throws CrowdbeatError if a program doesn't start or ends wrongly: then nothing was measured. */
export async function runTrial(plan: TrialPlan): Promise<Trial> {
  const home = mkdtempSync(join(tmpdir(), 'crowdbeat-trial-'));
  const removeHome = (): void => rmSync(home, { recursive: true, force: true });
  // Also if this program is ended in the midst of it.
  process.once('exit', removeHome);
  try {
    return await runIn(home, plan);
  } finally {
    process.off('exit', removeHome);
    removeHome();
  }
}

async function runIn(home: string, plan: TrialPlan): Promise<Trial> {
  const { clock, load, build, arm, pair, slot } = plan;
  const t0 = new Date(clock.wallMs()).toISOString();
  const control = controlProbe(clock);
  const serve = [build.program, 'serve', '--port', '0', ...build.serveOptions];
  const server = await startServer(serve, { CROWDBEAT_HOME: home, REDIS_URL: '' });
  const url = `http://127.0.0.1:${server.port}`;
  const redis = childOf(server.pid, /redis|valkey/);
  const usage = new UsageSampler(redis === undefined ? [server.pid] : [server.pid, redis], clock);
  try {
    const { buildHash } = buildOfHealth(await (await fetch(`${url}/health`)).json());
    const before = readHostCounters(thisMachine().read);
    const beganMs = clock.monotonicMs();
    const crowd = await runCrowdOf(home, url, plan);
    const asked = await ask({
      url,
      ratePerSec: load.queryPerSec,
      measureS: load.queryS,
      warmupS: queryWarmupS,
      seed: plan.seed,
    });
    const seconds = (clock.monotonicMs() - beganMs) / 1000;
    const host = hostBetween(before, readHostCounters(thisMachine().read), seconds);
    usage.stop();
    const figures = crowdFigures(crowd.log, load);
    const crowdFromMs = (crowd.log.startWallMs ?? 0) + load.warmupS * 1000;
    const queryFromMs = asked.startedWallMs + queryWarmupS * 1000;
    const [first, second] = [
      usage.between(crowdFromMs, crowdFromMs + load.measureS * 1000),
      usage.between(queryFromMs, queryFromMs + load.queryS * 1000),
    ];
    return {
      ...{ schema: trialSchema, trialId: trialIdOf(pair, arm), pair, slot, arm, t0, buildHash },
      ...{ warmupS: load.warmupS, measureS: load.measureS + load.queryS },
      rate: rateOf(crowd.result, figures.completed, asked),
      ops: { ingest: figures.latency, ...asked.ops },
      generator: generatorOf(crowd.result, figures, asked),
      server: {
        cpuUserS: first.cpuUserS + second.cpuUserS,
        cpuSysS: first.cpuSysS + second.cpuSysS,
        rssPeakMiB: usage.rssPeakMiB(),
        heapPostGcMiB: null,
        gcPauseMsTotal: null,
      },
      ...{ counters: {}, host, little: null, steady: figures.steady, control, valid: true, reasons: [] },
    };
  } finally {
    usage.stop();
    await server.stop();
    endRedisOf(home, redis);
  }
}

/** A collector that had to be killed leaves its Redis; its folder in the command line says whose it is. */
function endRedisOf(home: string, pid: number | undefined): void {
  try {
    if (pid !== undefined && readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes(home)) process.kill(pid);
  } catch {
    // It is gone, as it should be.
  }
}

async function runCrowdOf(home: string, url: string, { load, seed, hlog }: TrialPlan) {
  const json = join(home, 'crowd.json');
  const args = [programPath, 'sim', String(load.visitors), '--target', url, '--heartbeat', load.heartbeat];
  const length = ['--duration', `${load.warmupS + load.measureS}s`, '--seed', String(seed)];
  const quiet = ['--no-audit', '--log-clients', '0', '--drain', '5s', '--give-up', '10s', '--json', json];
  const deadlineMs = (load.warmupS + load.measureS + 60) * 1000;
  const { code } = await runBoundChild([...args, ...length, ...quiet], deadlineMs, { CROWDBEAT_HOME: home });
  if (!existsSync(json) || readFileSync(json).length === 0)
    throw new CrowdbeatError('CB_WORKER', `the crowd of a trial ended with code ${code} and left no result`);
  const result = JSON.parse(readFileSync(json, 'utf8')) as RunResult;
  copyFileSync(join(home, 'results', onlyRun(home), 'intervals.hlog'), hlog);
  return { result, log: readIntervalLog(hlog) };
}

function onlyRun(home: string): string {
  const [run] = readdirSync(join(home, 'results'));
  if (run !== undefined) return run;
  throw new CrowdbeatError('CB_WORKER', 'the crowd of a trial left no interval log');
}

async function ask(load: QueryLoad): Promise<QueryLoadResult> {
  const deadlineMs = (load.warmupS + load.measureS + 30) * 1000;
  const { code, output } = await runBoundChild([queryLoadPath, JSON.stringify(load)], deadlineMs);
  if (code === 0 && output !== '') return JSON.parse(output) as QueryLoadResult;
  throw new CrowdbeatError('CB_WORKER', `the questions of a trial ended with code ${code}`);
}
