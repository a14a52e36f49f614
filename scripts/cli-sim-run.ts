/** Runs a crowd in this process: its collector, the panel, Ctrl-C, and the socket that steers it. */
import { availableParallelism } from 'node:os';
import { systemClock } from '../server/base/clock.ts';
import { CrowdbeatError } from '../server/base/errors.ts';
import { exitCodes } from '../server/base/exit-codes.ts';
import { expectedEventsPerSecond } from '../sim/crowd/closed-form.ts';
import {
  type CrowdRun,
  exitCodeOf,
  loadText,
  Panel,
  RunControl,
  type SimOptions,
  simulate,
  summaryText,
  visitorsMaxOf,
} from '../sim/run/index.ts';
import { nullServerPerSecond } from './cli-doctor.ts';
import { nonEmpty } from './cli-serve.ts';
import { collectorWorkersFor } from './collector-process.ts';
import { type ControlReply, type ControlRequest, openControl } from './control-socket.ts';
import { findHome, type Home } from './home.ts';
import { type FsyncPolicy, type Stack, startStack } from './stack.ts';

export interface RunPlace {
  readonly redisUrl: string | undefined;
  readonly redisFsync: FsyncPolicy;
}

function openPanel(durationMs: number): Panel {
  const out = process.stdout;
  const environment = process.env;
  const panel = new Panel(
    {
      isTTY: out.isTTY && environment['TERM'] !== 'dumb',
      get columns() {
        return out.columns ?? 80;
      },
      get rows() {
        return out.rows ?? 24;
      },
      // https://no-color.org: present and not empty, whatever its value.
      colour: (environment['NO_COLOR'] ?? '') === '',
      write: (text) => void out.write(text),
    },
    durationMs,
  );
  out.on('resize', () => panel.redraw());
  return panel;
}

function answerer(control: RunControl): (request: ControlRequest) => ControlReply {
  return (request) => {
    switch (request.command) {
      case 'status':
        return control.status();
      case 'add':
        return control.add(request.visitors);
      case 'sendHome':
        return control.sendHome(request.visitors);
      case 'stop':
        return control.stop();
      default: {
        const never: never = request;
        return never;
      }
    }
  };
}

/** The exit code that the run has earned. The collector of a run without --target lives as long as the run. */
export async function runHere(sim: SimOptions, place: RunPlace, notes: readonly string[]): Promise<number> {
  const home = findHome();
  const panel = openPanel(sim.durationMs);
  const say = (line: string): void => panel.say(`crowdbeat: ${line}`);
  for (const note of notes) say(note);
  const control = new RunControl();
  const socket = await openControl(home.state, answerer(control));
  if (socket === undefined)
    throw new CrowdbeatError('CB_OPTION', 'another run has just begun here; start again to join it');
  const interrupts = new Interrupts(say);
  let stack: Stack | undefined;
  let lastWords = 'the run ended without a result';
  try {
    if (sim.target === undefined) stack = await startOwn(sim, place, home, say);
    if (interrupts.count > 0) return exitCodes.interruptedTwice;
    const targetUrl = sim.target ?? (stack as Stack).collector.url;
    const { outcome, code } = await runAgainst(targetUrl, sim, home, { panel, say, control, interrupts });
    lastWords = `the run has ended; results in ${outcome.directory}`;
    return code;
  } finally {
    await stack?.stop();
    interrupts.release();
    await socket.close(lastWords);
  }
}

function startOwn(sim: SimOptions, place: RunPlace, home: Home, say: (line: string) => void): Promise<Stack> {
  const url = place.redisUrl ?? nonEmpty(process.env['REDIS_URL']);
  const eventsPerSecond = expectedEventsPerSecond(sim.crowd.site, sim.heartbeatMs, visitorsMaxOf(sim));
  const workers = collectorWorkersFor(eventsPerSecond, availableParallelism());
  const further = ['--trust-proxy', 'loopback', ...flushOptionsFor(sim)];
  return startStack({ url, dataDir: home.redisData, fsync: place.redisFsync }, say, workers, further);
}

/** A visitor who missed three heartbeats has left; the fourth is for one that came late. */
const silentHeartbeats = 4;
const silentMsMin = 1000;

/** Our own collector writes departures too, where heartbeats go to a session store. */
export function flushOptionsFor({ sessionStore, heartbeatMs }: SimOptions): string[] {
  if (sessionStore === undefined || heartbeatMs === 0) return [];
  const timeout = `${Math.max(silentMsMin, silentHeartbeats * heartbeatMs)}ms`;
  // A line for each batch of departures would drown the run's own words.
  return ['--flush', '--flush-timeout', timeout, '--log-level', 'warn'];
}

interface Surroundings {
  readonly panel: Panel;
  readonly say: (line: string) => void;
  readonly control: RunControl;
  readonly interrupts: Interrupts;
}

async function runAgainst(
  targetUrl: URL,
  sim: SimOptions,
  home: Home,
  { panel, say, control, interrupts }: Surroundings,
) {
  say(`${loadText(sim)}, crowd ${sim.crowd.site.name}, seed ${sim.seed}; logs: tail -f ${home.logs}/*.log`);
  panel.name(`crowdbeat  ${targetUrl.origin}  seed ${sim.seed}`);
  const outcome = await simulate({
    sim,
    targetUrl,
    clock: systemClock,
    nullServerPerSecond: await nullServerPerSecond(),
    resultsDirectory: home.results,
    logDirectory: home.logs,
    onView: (view) => {
      control.underWay();
      panel.show(view);
    },
    onNote: say,
    onHealth: (health) => panel.knowHealth(health),
    onRunning: (run) => {
      interrupts.steer(run);
      control.steer(run);
    },
  });
  panel.clear();
  process.stdout.write(summaryText(outcome.result, outcome.directory));
  for (const problem of outcome.unwritten) process.stderr.write(`crowdbeat: ${problem}\n`);
  return { outcome, code: exitCodeOf(outcome.result, sim.strict, outcome.unwritten) };
}

/** Ctrl-C once: the crowd leaves and the run ends like any other. Twice: at once. */
class Interrupts {
  count = 0;
  #run: CrowdRun | undefined;
  readonly #say: (line: string) => void;
  readonly #handler = (): void => this.#interrupt();

  constructor(say: (line: string) => void) {
    this.#say = say;
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, this.#handler);
  }

  steer(run: CrowdRun): void {
    this.#run = run;
    if (this.count > 0) run.end();
  }

  release(): void {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.off(signal, this.#handler);
  }

  #interrupt(): void {
    this.count += 1;
    if (this.count === 1)
      this.#say('ending: visitors leave, open events settle (once more to end at once) …');
    if (this.count === 1) this.#run?.end();
    else if (this.count === 2) this.#run?.abort();
    else process.exit(exitCodes.interruptedTwice);
  }
}
