/**
 * The entry of a worker thread: builds the worker's share of the crowd, obeys the run, reports once a
 * second. All logic lies in the modules that it puts together; this file is only reached compiled, because
 * a thread on Node 20 can't start from TypeScript.
 */
import { systemClock } from '../../server/base/clock.ts';
import { Crowd } from '../crowd/crowd.ts';
import { isQuiet } from '../crowd/network-life.ts';
import { transferablesOf } from '../measure/index.ts';
import { ArrivalPlan } from '../schedule/arrival-plan.ts';
import { arrivalMs } from '../schedule/ramp.ts';
import { SlotPlan } from '../schedule/slot-plan.ts';
import { EventRequests } from '../targets/event-request.ts';
import { HttpPool } from '../transport/http-pool.ts';
import { ClientLogs } from './client-logs.ts';
import { CrowdDriver, type CrowdDriverOptions } from './crowd-driver.ts';
import { CrowdLatency } from './crowd-latency.ts';
import type { FromWorker, ToWorker, WorkerInterval, WorkerResult, WorkerTask } from './messages.ts';
import { ThreadHealthMonitor } from './thread-health.ts';

const reportIntervalMs = 1000;
const askForTokenEveryMs = 1000;

export default function runWorker(task: WorkerTask): Promise<WorkerResult> {
  return new CrowdWorker(task).result;
}

class CrowdWorker {
  readonly result: Promise<WorkerResult>;
  readonly #task: WorkerTask;
  readonly #crowd: Crowd;
  readonly #latency: CrowdLatency;
  readonly #logs: ClientLogs;
  readonly #health = new ThreadHealthMonitor();
  #driver: CrowdDriver | undefined;
  #requests: EventRequests | undefined;
  #askedForTokenMs = Number.NEGATIVE_INFINITY;
  #startMonotonicMs = 0;
  #intervalIndex = 0;
  #intervalStartMs = 0;
  #reporter: NodeJS.Timeout | undefined;
  #resolve: (result: WorkerResult) => void = () => undefined;
  #reject: (error: unknown) => void = () => undefined;

  constructor(task: WorkerTask) {
    this.#task = task;
    const { seed, runId, heartbeatMs, phase, crowd: config, people, bots, warmSlots } = task;
    const { site } = config;
    this.#crowd = new Crowd({ seed, runId, site, config, people, bots, warmSlots, heartbeatMs, phase });
    this.#latency = new CrowdLatency(this.#crowd.types);
    this.#logs = new ClientLogs({
      directory: task.logDirectory,
      clients: task.logClients,
      onStopped: (text) => this.#say({ kind: 'note', text }),
    });
    this.result = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    task.port.on('message', (message: ToWorker) => this.#obey(message));
    this.#say({ kind: 'ready' });
  }

  #say(message: FromWorker, transfer: readonly ArrayBuffer[] = []): void {
    this.#task.port.postMessage(message, transfer);
  }

  #obey(message: ToWorker): void {
    switch (message.kind) {
      case 'start':
        this.#start(message.startMonotonicMs, message.startWallMs);
        break;
      case 'add':
        this.#eachOwnSlot(message, (slot, atMs) => this.#driver?.addSlot(slot, atMs));
        break;
      case 'sendHome':
        this.#eachOwnSlot(message, (slot, atMs) => this.#driver?.sendHomeBy(slot, atMs));
        break;
      case 'finish':
        this.#driver?.endAt(message.atMs, message.drainMs, this.#task.requestTimeoutMs);
        break;
      case 'token':
        if (this.#requests !== undefined) this.#requests.token = message.token;
        break;
      case 'resolved':
        message.stored.forEach((isStored, number) => {
          if (isStored !== null) this.#driver?.resolveUnknown(number, isStored);
        });
        this.#finish();
        break;
      case 'abort':
        this.#driver?.abort();
        break;
      default: {
        const never: never = message;
        throw new Error(`unknown message ${JSON.stringify(never)}`);
      }
    }
  }

  /** Once a second at most: thousands of events may be refused before there is another one. */
  #askForToken(refused: string): void {
    const nowMs = systemClock.monotonicMs();
    if (nowMs - this.#askedForTokenMs < askForTokenEveryMs) return;
    this.#askedForTokenMs = nowMs;
    this.#say({ kind: 'unauthorized', token: refused });
  }

  /** A worker owns the slots whose number leaves its index when divided by the number of workers. */
  #eachOwnSlot(
    range: { first: number; count: number; fromMs: number; perSecond: number },
    visit: (slot: number, atMs: number) => void,
  ): void {
    const { workerIndex, workerCount } = this.#task;
    const offset = (workerIndex - (range.first % workerCount) + workerCount) % workerCount;
    for (let at = offset; at < range.count; at += workerCount) {
      visit(range.first + at, range.fromMs + arrivalMs(at, range.perSecond));
    }
  }

  #start(startMonotonicMs: number, startWallMs: number): void {
    const { targetUrl, property, connections, requestTimeoutMs, durability } = this.#task;
    const url = new URL(targetUrl);
    this.#startMonotonicMs = startMonotonicMs;
    const { sessionStore, clientHeaders, token, key } = this.#task;
    const { pages, types } = this.#crowd;
    const ways = { types, sessionStore, clientHeaders, token, key };
    const requests = new EventRequests({ url, property, pages, startWallMs, durability, ...ways });
    this.#requests = requests;
    this.#driver = new CrowdDriver({
      onUnauthorized: (refused) => this.#askForToken(refused),
      crowd: this.#crowd,
      types,
      ...this.#loadOptions(),
      requests,
      makePool: (handler) =>
        new HttpPool({
          url,
          connections,
          requestTimeoutMs,
          connectTimeoutMs: requestTimeoutMs,
          clock: systemClock,
          handler,
        }),
      latency: this.#latency,
      logs: this.#logs,
      clock: systemClock,
      startMonotonicMs,
    });
    this.#driver.sample.onTaken = (event) => this.#say({ kind: 'sample', event });
    this.#driver.start();
    this.#health.takeInterval();
    this.#scheduleReport();
    void this.#driver.finished.then(() => this.#end()).catch((error: unknown) => this.#reject(error));
  }

  /** What opens slots by itself, and what the ledger must be ready for. */
  #loadOptions(): Pick<CrowdDriverOptions, 'openings' | 'network' | 'inOrder'> {
    const { loadPlan, seed, workerIndex, workerCount, crowd } = this.#task;
    const network = isQuiet(crowd.network) ? undefined : crowd.network;
    const share = { workerIndex, workerCount };
    if (loadPlan === undefined) return { network };
    if (loadPlan.model === 'present') return { network, openings: new SlotPlan(loadPlan, share) };
    // Two visits of one person at a time are acknowledged in any order.
    return { network, openings: new ArrivalPlan(loadPlan, share, seed), inOrder: false };
  }

  /** Reports at whole seconds of run time, whatever the report itself costs. */
  #scheduleReport(): void {
    const nextMs = this.#startMonotonicMs + (this.#intervalIndex + 1) * reportIntervalMs;
    this.#reporter = setTimeout(
      () => {
        this.#report();
        this.#scheduleReport();
      },
      // Rounded up: a timer's delay is cut to whole milliseconds, and a second must not end before it is over.
      Math.max(0, Math.ceil(nextMs - systemClock.monotonicMs())),
    );
  }

  #report(): void {
    const driver = this.#driver;
    if (driver === undefined) return;
    const endMs = systemClock.monotonicMs() - this.#startMonotonicMs;
    const snapshot = this.#latency.takeInterval(endMs);
    const interval: WorkerInterval = {
      index: this.#intervalIndex,
      startMs: this.#intervalStartMs,
      endMs,
      snapshot,
      ...driver.counters.takeInterval(),
      started: driver.counters.started,
      ended: driver.counters.ended,
      present: driver.counters.present,
      presentMax: driver.counters.takePresentMax(),
      open: driver.open,
      ...this.#health.takeInterval(),
      visitorTime: driver.counters.visitorTime(endMs),
    };
    driver.sample.isWanted = true;
    this.#intervalIndex += 1;
    this.#intervalStartMs = endMs;
    this.#say({ kind: 'interval', workerIndex: this.#task.workerIndex, interval }, transferablesOf(snapshot));
  }

  async #end(): Promise<void> {
    clearTimeout(this.#reporter);
    this.#report();
    this.#health.stop();
    await this.#logs.close();
    const driver = this.#driver;
    if (driver === undefined) throw new Error('a worker ended before it started');
    const events = driver.unknown.events();
    if (events.length === 0) this.#finish();
    else this.#say({ kind: 'unknown', workerIndex: this.#task.workerIndex, events });
  }

  #finish(): void {
    const driver = this.#driver;
    if (driver === undefined) return;
    this.#task.port.close();
    const { started, ended } = driver.counters;
    const truth = driver.truth.record(this.#crowd.pages.map((page) => page.path));
    this.#resolve({ ledger: driver.ledger.record, store: driver.beats.record, truth, started, ended });
  }
}
