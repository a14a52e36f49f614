/**
 * Several processes of the collector on one port. Collectors keep nothing that Redis does not have, so any
 * number of them may serve one property; each answers for what it acknowledged.
 *
 * The primary, this process, accepts connections and hands them to the workers by turns (node:cluster). It
 * serves nothing itself. States and moves of each worker's place:
 *
 *   starting  --listens------------> serving
 *   starting  --can't--------------> empty     (while the whole starts: the whole ends with that error)
 *   serving   --dies---------------> empty     said in one line
 *   empty     --restart-delay.ts---> starting
 *   any       --close()------------> drained, gone
 *
 * A connection that was on its way to a worker when it was killed is lost in node:cluster: at most one for
 * each death, and its client's timeout finds it.
 */
import cluster, { type Worker } from 'node:cluster';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { type Clock, systemClock } from '../base/clock.ts';
import { CrowdbeatError } from '../base/errors.ts';
import type { Log } from '../http/failure.ts';
import type { Collector } from './collector.ts';
import { isMetricsMessage, MetricsRounds } from './metrics-gather.ts';
import { restartDelay } from './restart-delay.ts';
import type { FromCollectorWorker, ServedOptions, WorkerStart } from './worker-messages.ts';

export interface ClusterOptions extends ServedOptions {
  /** How many processes serve; at least 1. */
  readonly workers: number;
  /** Gets one line for each worker that died. */
  readonly log: Log;
  readonly clock?: Clock;
}

/** More than a worker's own deadline for finishing what is in flight. */
const closeDeadlineMs = 15_000;
const freePortTries = 5;
/** Redis may take 5 s to answer, and a busy machine some more to load the program. */
const startDeadlineMs = 30_000;

/** Throws what the first worker that can't start says: CB_PORT_TAKEN, CB_REDIS_UNREACHABLE …; leaves nothing then. */
export async function startCollectorCluster(options: ClusterOptions): Promise<Collector> {
  // Not as JSON: an option that is undefined must stay so and not become the default.
  cluster.setupPrimary({ exec: workerEntry(), args: [], serialization: 'advanced' });
  for (let tries = 1; ; tries++) {
    // All workers must name one port, also those that come when no other is left, so 0 can't be passed on.
    const port = options.port === 0 ? await freePort(options.host) : options.port;
    const open = new CollectorCluster({ ...options, port });
    try {
      const url = await open.start();
      return { url, port, close: () => open.close() };
    } catch (thrown) {
      await open.close();
      const mayTryAgain = options.port === 0 && tries < freePortTries;
      if (!mayTryAgain || !(thrown instanceof CrowdbeatError) || thrown.code !== 'CB_PORT_TAKEN')
        throw thrown;
    }
  }
}

/** Beside this module when compiled; under dist/ when the sources themselves run, as in tests. */
function workerEntry(): string {
  const places = ['./collector-worker.js', '../../dist/server/main/collector-worker.js'];
  const paths = places.map((place) => fileURLToPath(new URL(place, import.meta.url)));
  const found = paths.find((path) => existsSync(path));
  if (found !== undefined) return found;
  throw new CrowdbeatError('CB_COLLECTOR_START', `the worker ${paths[1]} is not built; run: npm run build`);
}

async function freePort(host: string): Promise<number> {
  const server = createServer().listen(0, host);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

class CollectorCluster {
  readonly #options: ClusterOptions;
  readonly #clock: Clock;
  readonly #living = new Set<Worker>();
  readonly #restarts = new Set<NodeJS.Timeout>();
  readonly #metrics = new MetricsRounds(() => this.#living);
  #closed: Promise<void> | undefined;

  constructor(options: ClusterOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  /** Resolves with the URL when every worker listens. */
  async start(): Promise<string> {
    const numbers = Array.from({ length: this.#options.workers }, (_none, index) => index + 1);
    const [url = ''] = await Promise.all(numbers.map((number) => this.#fill(number, 0)));
    return url;
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  /**
   * Starts a worker in a place and keeps the place filled from then on. Resolves with the URL when it listens;
   * rejects if it can't, and then the place stays empty: the caller decides.
   */
  async #fill(number: number, earlyDeaths: number): Promise<string> {
    const startedMs = this.#clock.monotonicMs();
    const worker = cluster.fork();
    this.#living.add(worker);
    const ended = new Promise<string>((resolve) => {
      // No process could be made, or its channel broke while something was sent: its end is what counts.
      worker.on('error', (error) => {
        if (worker.process.pid === undefined) resolve(`before it began: ${error.message}`);
      });
      worker.once('exit', (code: number | null, signal: string | null) => {
        this.#living.delete(worker);
        resolve(signal ? `by ${signal}` : `with code ${code}`);
      });
    });
    const url = await this.#listening(worker, number, ended);
    void ended.then((how) => {
      const { pid } = worker.process;
      const livedMs = this.#clock.monotonicMs() - startedMs;
      this.#refill(number, `worker ${number} (process ${pid}) ended ${how}`, livedMs, earlyDeaths);
    });
    return url;
  }

  #listening(worker: Worker, number: number, ended: Promise<string>): Promise<string> {
    // What is here only for the primary can't be sent.
    const { workers, log: _log, clock: _clock, ...served } = this.#options;
    const start: WorkerStart = { ...served, worker: { number, workers } };
    return new Promise((resolve, reject) => {
      const deadline = setTimeout(() => worker.process.kill('SIGKILL'), startDeadlineMs);
      worker.on('message', (message: FromCollectorWorker) => {
        if (isMetricsMessage(message)) {
          this.#metrics.take(worker, message);
          return;
        }
        if ('asks' in message) {
          worker.send(start);
          return;
        }
        clearTimeout(deadline);
        if ('listening' in message) resolve(message.listening);
        else reject(new CrowdbeatError(message.failed.code, message.failed.message));
      });
      void ended.then((how) => {
        clearTimeout(deadline);
        const message = `worker ${number} of the collector (process ${worker.process.pid}) ended ${how} before it listened`;
        reject(new CrowdbeatError('CB_COLLECTOR_START', message));
      });
    });
  }

  /** A place is empty: says so, and fills it after a while. */
  #refill(number: number, why: string, livedMs: number, deathsBefore: number): void {
    if (this.#closed !== undefined) return;
    const { delayMs, earlyDeaths } = restartDelay(deathsBefore, livedMs);
    const when = delayMs === 0 ? 'now' : `in ${delayMs} ms`;
    this.#options.log(`${why}; another one starts ${when}`);
    const timer = setTimeout(() => {
      this.#restarts.delete(timer);
      const startedMs = this.#clock.monotonicMs();
      this.#fill(number, earlyDeaths).catch((thrown: Error) => {
        const failed = `worker ${number} could not start: ${thrown.message}`;
        this.#refill(number, failed, this.#clock.monotonicMs() - startedMs, earlyDeaths);
      });
    }, delayMs);
    this.#restarts.add(timer);
  }

  async #close(): Promise<void> {
    for (const timer of this.#restarts) clearTimeout(timer);
    const living = [...this.#living];
    const gone = living.map((worker) => once(worker, 'exit'));
    for (const worker of living) worker.process.kill('SIGTERM');
    const lastResort = setTimeout(() => {
      for (const worker of this.#living) worker.process.kill('SIGKILL');
    }, closeDeadlineMs);
    await Promise.all(gone);
    clearTimeout(lastResort);
  }
}
