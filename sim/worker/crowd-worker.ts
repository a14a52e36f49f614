/**
 * The entry of a worker thread: builds the worker's share of the crowd, obeys the run, reports once a
 * second. All logic lies in the modules that it puts together; this file is only reached compiled, because
 * a thread on Node 20 can't start from TypeScript.
 */
import { systemClock } from '../../server/base/clock.ts';
import { Crowd } from '../crowd/crowd.ts';
import { shop } from '../crowd/shop.ts';
import { transferablesOf } from '../measure/index.ts';
import { arrivalMs } from '../schedule/ramp.ts';
import { EventRequests } from '../targets/event-request.ts';
import { HttpPool } from '../transport/http-pool.ts';
import { ClientLogs } from './client-logs.ts';
import { CrowdDriver } from './crowd-driver.ts';
import { CrowdLatency } from './crowd-latency.ts';
import type { FromWorker, ToWorker, WorkerInterval, WorkerResult, WorkerTask } from './messages.ts';
import { ThreadHealthMonitor } from './thread-health.ts';

const reportIntervalMs = 1000;

export default function runWorker(task: WorkerTask): Promise<WorkerResult> {
  return new CrowdWorker(task).result;
}

class CrowdWorker {
  readonly result: Promise<WorkerResult>;
  readonly #task: WorkerTask;
  readonly #crowd: Crowd;
  readonly #latency = new CrowdLatency();
  readonly #logs: ClientLogs;
  readonly #health = new ThreadHealthMonitor();
  #driver: CrowdDriver | undefined;
  #startMonotonicMs = 0;
  #intervalIndex = 0;
  #intervalStartMs = 0;
  #reporter: NodeJS.Timeout | undefined;
  #resolve: (result: WorkerResult) => void = () => undefined;
  #reject: (error: unknown) => void = () => undefined;

  constructor(task: WorkerTask) {
    this.#task = task;
    const { seed, runId, heartbeatMs, phase, people } = task;
    this.#crowd = new Crowd({ seed, runId, site: shop, people, heartbeatMs, phase });
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
        this.#eachOwnSlot(message, (slot, atMs) => this.#driver?.sendHome(slot, atMs));
        break;
      case 'finish':
        this.#driver?.endAt(message.atMs, message.drainMs, this.#task.requestTimeoutMs);
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
    this.#driver = new CrowdDriver({
      crowd: this.#crowd,
      requests: new EventRequests({ url, property, pages: this.#crowd.pages, startWallMs, durability }),
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
    this.#health.takeInterval();
    this.#scheduleReport();
    void this.#driver.finished.then(() => this.#end()).catch((error: unknown) => this.#reject(error));
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
    };
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
    this.#task.port.close();
    const { started, ended } = driver.counters;
    this.#resolve({ ledger: driver.ledger.record, started, ended });
  }
}
