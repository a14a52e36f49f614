/**
 * One run of a crowd: starts the workers, opens the slots, follows the reports, ends.
 *
 * States: preparing (workers build their share) -> running -> ending (nothing is planned any more, open
 * events settle) -> ended. `end`, `abort` and the watch on the target make the moves;
 * all may happen at any time, more than once.
 */
import assert from 'node:assert/strict';
import type { Clock } from '../../server/base/clock.ts';
import type { CrowdbeatError } from '../../server/base/errors.ts';
import { formatCount, formatDuration } from '../../server/base/units.ts';
import { makeBots, makePeople } from '../crowd/people.ts';
import { IntervalLog } from '../measure/index.ts';
import { levelAt } from '../schedule/load-plan.ts';
import { mergeTruth } from '../worker/crowd-truth.ts';
import { emptyLedger, mergeLedger, totalFates, unaccounted } from '../worker/ledger.ts';
import type { FromWorker, WorkerResult, WorkerTask } from '../worker/messages.ts';
import { emptyStoreRecord, mergeStoreRecord } from '../worker/store-beats.ts';
import type { SampledEvent, UnknownEvent } from '../worker/unknown-acts.ts';
import { connectionAdvice } from './advice.ts';
import { GiveUpWatch } from './give-up.ts';
import { visitorsMaxOf } from './load-options.ts';
import { MachineWatch } from './machine-counters.ts';
import type { SimOptions } from './options.ts';
import { residentBytes } from './resident-bytes.ts';
import type { RunFigures, RunResult } from './result.ts';
import { RunMonitor, type RunView } from './run-monitor.ts';
import type { TargetAccess } from './target-access.ts';
import { judgeGenerator } from './verdict.ts';
import { WorkerPool } from './worker-pool.ts';

export interface CrowdRunOptions {
  readonly sim: SimOptions;
  readonly runId: string;
  readonly targetUrl: URL;
  /** Undefined: requests say nothing about who sends them. */
  readonly access?: TargetAccess | undefined;
  readonly clock: Clock;
  readonly logDirectory: string;
  /** Undefined: no interval log. */
  readonly intervalLogPath: string | undefined;
  readonly onView: (view: RunView) => void;
  readonly onNote: (note: string) => void;
  /** Finds out what became of events whose answer never came, in their order; null: nobody knows. Default: nobody. */
  readonly resolveUnknown?: (events: readonly UnknownEvent[]) => Promise<(boolean | null)[]>;
  /** What `crowdbeat doctor` measured of this machine's load client, requests a second. */
  readonly nullServerPerSecond?: number | undefined;
  /** Told about once a second of an event that was just acknowledged. */
  readonly onSample?: (event: SampledEvent) => void;
}

/** Between the order to start and run time 0: every worker has it by then. */
const startDelayMs = 50;

/** What counts as "once the ramp is over" begins with the first whole second after it, and never before 1 s. */
export function steadyFromMs(visitors: number, rampPerSecond: number): number {
  return Math.max(1, Math.ceil(visitors / rampPerSecond)) * 1000;
}

interface SlotRange {
  readonly first: number;
  readonly count: number;
}

/** Slots that are open at run time 0 of a warm start. */
function warmSlotsOf({ warm, visitors, loadPlan }: SimOptions): number {
  if (!warm) return 0;
  return loadPlan === undefined ? visitors : Math.ceil(levelAt(loadPlan, 0));
}

/** Slots that are added to a run with a load plan have numbers that no plan uses. */
const slotsAbovePlans = 16_777_216;

/** A warm crowd is there at once. */
const atOncePerSecond = 1e9;

export class CrowdRun {
  readonly #options: CrowdRunOptions;
  readonly #pool: WorkerPool;
  #monitor: RunMonitor | undefined;
  readonly #machine: MachineWatch;
  readonly #notes: string[] = [];
  readonly #steadyFromMs: number;
  readonly #giveUpWatch: GiveUpWatch;
  #log: IntervalLog | undefined;
  #startMonotonicMs = Number.NaN;
  #startWallMs = 0;
  #rssBefore = 0;
  #rssPeak = 0;
  #end: RunResult['end'] = 'ended';
  #endRequested = false;
  /** Open places, as ranges of slot numbers, oldest first. */
  readonly #slots: SlotRange[] = [];
  #nextSlot = 0;
  #asked = 0;
  /** When the first worker had settled all that it could. */
  #settledMs = Number.NaN;
  readonly #resolved = { stored: 0, absent: 0 };
  #cutOff: () => void = () => undefined;
  readonly #isCutOff = new Promise<void>((resolve) => {
    this.#cutOff = resolve;
  });

  constructor(options: CrowdRunOptions) {
    this.#options = options;
    const { sim } = options;
    this.#machine = new MachineWatch(options.clock);
    this.#steadyFromMs = sim.warm ? 1000 : steadyFromMs(sim.visitors, sim.rampPerSecond);
    this.#giveUpWatch = new GiveUpWatch(sim.giveUpMs);
    const people = makePeople(sim.seed, undefined, sim.crowd);
    this.#pool = new WorkerPool({
      workers: sim.workers,
      taskOf: (workerIndex) => this.#taskOf(workerIndex, people),
      onMessage: (message) => this.#receive(message),
    });
  }

  /** Runs to the end and gives the figures. Throws CrowdbeatError CB_WORKER if a worker dies. */
  async run(): Promise<RunFigures> {
    const { sim, clock } = this.#options;
    this.#followAccess();
    try {
      await this.#pool.ready;
      const cpuBefore = process.cpuUsage();
      this.#start();
      if (this.#endRequested) this.end();
      else if (Number.isFinite(sim.durationMs)) this.#finishAt(sim.durationMs);
      const results = await this.#pool.results;
      const endMs = Number.isNaN(this.#settledMs) ? clock.monotonicMs() : this.#settledMs;
      const durationMs = endMs - this.#startMonotonicMs;
      const cpu = process.cpuUsage(cpuBefore);
      const monitor = this.#monitor;
      assert(monitor !== undefined);
      monitor.finish();
      await this.#log?.close();
      return this.#figures(results, monitor, durationMs, cpu.user + cpu.system);
    } finally {
      await this.#pool.close();
    }
  }

  /**
   * Sends more visitors, at the ramp's pace, while the run lasts. Their slots are new ones, so the plans of
   * those already there don't change. False if the run is not under way or is ending.
   */
  add(count: number): boolean {
    if (!this.#isUnderWay()) return false;
    this.#slots.push({ first: this.#nextSlot, count });
    this.#tellRange('add', { first: this.#nextSlot, count });
    this.#nextSlot += count;
    this.#asked += count;
    return true;
  }

  /** Sends visitors home, the newest places first, at the ramp's pace; nobody follows them. Gives how many. */
  sendHome(count: number): number {
    if (!this.#isUnderWay()) return 0;
    let left = count;
    for (let range = this.#slots.at(-1); range !== undefined && left > 0; range = this.#slots.at(-1)) {
      const taken = Math.min(left, range.count);
      this.#tellRange('sendHome', { first: range.first + range.count - taken, count: taken });
      this.#slots.pop();
      if (taken < range.count) this.#slots.push({ first: range.first, count: range.count - taken });
      left -= taken;
    }
    return count - left;
  }

  /** Places that are open now: visitors present, arriving, or about to be followed. */
  get places(): number {
    return this.#slots.reduce((sum, range) => sum + range.count, 0);
  }

  /** Ends the run now, properly: visitors leave, open events settle. */
  end(): void {
    this.#endRequested = true;
    if (Number.isNaN(this.#startMonotonicMs)) return;
    const atMs = Math.max(0, this.#options.clock.monotonicMs() - this.#startMonotonicMs);
    if (atMs < this.#options.sim.durationMs) this.#end = 'interrupted';
    this.#finishAt(atMs);
  }

  /** Ends at once: open events stay unanswered. */
  abort(): void {
    this.end();
    this.#end = 'aborted';
    this.#cutOff();
    this.#pool.tell({ kind: 'abort' });
  }

  /** How the run would end if it ended now. */
  get endSoFar(): RunResult['end'] {
    return this.#end;
  }

  /** Cut off by `abort`. */
  get isAborted(): boolean {
    return this.#end === 'aborted';
  }

  #followAccess(): void {
    const { access } = this.#options;
    if (access === undefined) return;
    access.onToken = (token) => this.#pool.tell({ kind: 'token', token });
    access.onRefused = (why) => this.#note(why);
  }

  #taskOf(workerIndex: number, people: WorkerTask['people']): Omit<WorkerTask, 'port'> {
    const { sim, runId, targetUrl, access, logDirectory } = this.#options;
    const share =
      Math.floor(sim.connections / sim.workers) + (workerIndex < sim.connections % sim.workers ? 1 : 0);
    return {
      workerIndex,
      workerCount: sim.workers,
      seed: sim.seed,
      runId,
      heartbeatMs: sim.heartbeatMs,
      phase: sim.phase,
      crowd: sim.crowd,
      loadPlan: sim.loadPlan,
      warmSlots: warmSlotsOf(sim),
      people,
      bots: makeBots(sim.crowd.bots.kinds),
      targetUrl: targetUrl.href,
      property: sim.property,
      connections: share,
      requestTimeoutMs: sim.requestTimeoutMs,
      durability: sim.durability,
      sessionStore: sim.sessionStore,
      clientHeaders: sim.clientHeaders,
      token: access?.token,
      key: access?.key,
      logDirectory,
      logClients: sim.logClients,
    };
  }

  #start(): void {
    const { sim, clock } = this.#options;
    this.#rssBefore = residentBytes();
    this.#startMonotonicMs = clock.monotonicMs() + startDelayMs;
    this.#startWallMs = clock.wallMs() + startDelayMs;
    this.#monitor = this.#openMonitor();
    const { visitors, warm } = sim;
    const rampPerSecond = warm ? atOncePerSecond : sim.rampPerSecond;
    this.#pool.tell({
      kind: 'start',
      startMonotonicMs: this.#startMonotonicMs,
      startWallMs: this.#startWallMs,
    });
    if (sim.loadPlan !== undefined) {
      // The workers' own plans open the slots; those that are asked for in a live run come after them.
      this.#nextSlot = slotsAbovePlans;
      this.#asked = visitorsMaxOf(sim);
      return;
    }
    this.#pool.tell({ kind: 'add', first: 0, count: visitors, fromMs: 0, perSecond: rampPerSecond });
    this.#slots.push({ first: 0, count: visitors });
    this.#nextSlot = visitors;
    this.#asked = visitors;
  }

  #isUnderWay(): boolean {
    const elapsedMs = this.#options.clock.monotonicMs() - this.#startMonotonicMs;
    return elapsedMs < this.#options.sim.durationMs && !this.#endRequested && this.#end === 'ended';
  }

  #tellRange(kind: 'add' | 'sendHome', range: SlotRange): void {
    const { sim, clock } = this.#options;
    const fromMs = Math.max(0, clock.monotonicMs() - this.#startMonotonicMs);
    this.#pool.tell({ kind, ...range, fromMs, perSecond: sim.rampPerSecond });
  }

  #finishAt(atMs: number): void {
    this.#pool.tell({ kind: 'finish', atMs, drainMs: this.#options.sim.drainMs });
  }

  #receive(message: FromWorker): void {
    if (message.kind === 'interval') this.#monitor?.add(message.workerIndex, message.interval);
    else if (message.kind === 'sample') this.#options.onSample?.(message.event);
    else if (message.kind === 'unknown') void this.#resolve(message.workerIndex, message.events);
    else if (message.kind === 'note') this.#note(message.text);
    else if (message.kind === 'unauthorized') void this.#options.access?.renew(message.token);
  }

  /** Asks what became of a worker's unknown events and tells it; whoever cuts the run off does not wait for that. */
  async #resolve(workerIndex: number, events: readonly UnknownEvent[]): Promise<void> {
    const { resolveUnknown, clock } = this.#options;
    if (Number.isNaN(this.#settledMs)) this.#settledMs = clock.monotonicMs();
    const nobodyKnows = events.map(() => null);
    const asked = this.#end === 'aborted' ? undefined : resolveUnknown?.(events);
    const stored: (boolean | null)[] =
      asked === undefined ? nobodyKnows : await Promise.race([asked, this.#isCutOff.then(() => nobodyKnows)]);
    this.#resolved.stored += stored.filter((one) => one === true).length;
    this.#resolved.absent += stored.filter((one) => one === false).length;
    this.#pool.tellOne(workerIndex, { kind: 'resolved', stored });
  }

  /** A target that is gone for good must not keep a run, and whoever waits for its result, for ever. */
  #giveUpIfHopeless(view: RunView): void {
    if (!this.#giveUpWatch.isOver(view) || this.#end === 'gave up' || this.#end === 'aborted') return;
    this.#end = 'gave up';
    const patience = formatDuration(this.#options.sim.giveUpMs);
    this.#note(
      `gave up: no event was acknowledged for ${patience} (--give-up), and ${formatCount(view.open)} were open`,
    );
    this.#pool.tell({ kind: 'abort' });
  }

  /** Several workers may say the same; a reader wants it once. */
  #note(text: string): void {
    if (this.#notes.includes(text)) return;
    this.#notes.push(text);
    this.#options.onNote(text);
  }

  #openMonitor(): RunMonitor {
    const { sim, intervalLogPath: path, onView } = this.#options;
    const onStopped = (reason: CrowdbeatError): void => this.#note(reason.message);
    if (path !== undefined) this.#log = new IntervalLog({ path, startWallMs: this.#startWallMs, onStopped });
    return new RunMonitor({
      workers: sim.workers,
      steadyFromMs: this.#steadyFromMs,
      log: this.#log,
      machine: this.#machine,
      onView: (view) => {
        this.#giveUpIfHopeless(view);
        this.#rssPeak = Math.max(this.#rssPeak, residentBytes());
        onView(view);
      },
    });
  }

  #figures(
    results: readonly WorkerResult[],
    monitor: RunMonitor,
    durationMs: number,
    cpuUs: number,
  ): RunFigures {
    const ledger = emptyLedger();
    for (const result of results) mergeLedger(ledger, result.ledger);
    const store = emptyStoreRecord();
    for (const result of results) mergeStoreRecord(store, result.store);
    const total = totalFates(ledger);
    assert.equal(unaccounted(total), 0, `accounting: ${JSON.stringify(total)}`);
    const { histograms } = monitor;
    const lateness = histograms.summary('steady', 'lateness') ?? histograms.summary('whole', 'lateness');
    const health = monitor.health();
    const machine = this.#machine.summary();
    const little = monitor.little();
    const { nullServerPerSecond } = this.#options;
    const perSecond = total.sent / Math.max(0.001, durationMs / 1000);
    const advice = connectionAdvice(
      histograms.summary('steady', 'blocked'),
      histograms.summary('steady', 'service'),
      this.#options.sim.connections,
    );
    if (advice !== undefined) this.#note(advice);
    return {
      runId: this.#options.runId,
      startWallMs: this.#startWallMs,
      durationMs,
      end: this.#end,
      targetUrl: this.#options.targetUrl,
      asked: this.#asked,
      peak: monitor.peak,
      started: results.reduce((sum, result) => sum + result.started, 0),
      ended: results.reduce((sum, result) => sum + result.ended, 0),
      ledger,
      store,
      truth: mergeTruth(results.map((result) => result.truth)),
      resolved: this.#resolved,
      histograms,
      steadyFromMs: this.#steadyFromMs,
      errors: monitor.errorsTotal,
      cpuUs,
      memoryGrowthBytes: Math.max(0, this.#rssPeak - this.#rssBefore),
      verdict: judgeGenerator({
        lateness,
        health,
        dropped: total.dropped - (ledger.network['lostAtUnload'] ?? 0),
        machine,
        little,
        ceilingShare:
          nullServerPerSecond === undefined
            ? undefined
            : perSecond / (nullServerPerSecond * this.#options.sim.workers),
      }),
      health: { ...health, ...machine, little },
      notes: this.#notes,
    };
  }
}
