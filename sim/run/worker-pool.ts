/**
 * The run's worker threads: one Piscina task each, that lasts as long as the run, and one message channel
 * each, over which the crowd is steered and reports come back.
 */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { Piscina } from 'piscina';
import { CrowdbeatError, messageOf } from '../../server/base/errors.ts';
import type { FromWorker, ToWorker, WorkerResult, WorkerTask } from '../worker/messages.ts';

export interface WorkerPoolOptions {
  readonly workers: number;
  /** The task of one worker, without its port. */
  readonly taskOf: (workerIndex: number) => Omit<WorkerTask, 'port'>;
  readonly onMessage: (message: FromWorker) => void;
}

/** Beside this module when compiled; under dist/ when the sources themselves run, as in tests. */
function workerEntry(): string {
  const beside = new URL('../worker/crowd-worker.js', import.meta.url);
  if (existsSync(beside)) return beside.href;
  const built = new URL('../../dist/sim/worker/crowd-worker.js', import.meta.url);
  if (existsSync(built)) return built.href;
  throw new CrowdbeatError(
    'CB_WORKER',
    `the worker ${fileURLToPath(built)} is not built; run: npm run build`,
  );
}

export class WorkerPool {
  /** Resolves with every worker's result; rejects if one of them ends before its crowd does. */
  readonly results: Promise<WorkerResult[]>;
  /** Resolves when every worker has built its crowd. */
  readonly ready: Promise<void>;
  readonly #piscina: Piscina;
  readonly #ports: MessagePort[] = [];

  constructor(options: WorkerPoolOptions) {
    const { workers } = options;
    this.#piscina = new Piscina({
      filename: workerEntry(),
      minThreads: workers,
      maxThreads: workers,
      concurrentTasksPerWorker: 1,
      // Otherwise an idle worker blocks its thread in Atomics.wait, and the close of its message channel
      // never gets through.
      atomics: 'disabled',
    });
    let waitingFor = workers;
    let allReady = (): void => undefined;
    const ready = new Promise<void>((resolve) => {
      allReady = resolve;
    });
    const results = Array.from({ length: workers }, (_, index) =>
      this.#runWorker(options, index, () => {
        waitingFor -= 1;
        if (waitingFor === 0) allReady();
      }),
    );
    this.results = Promise.all(results);
    // Whoever awaits `ready` first must see a worker that failed to start; nobody else handles it by then.
    this.results.catch(() => undefined);
    this.ready = Promise.race([ready, this.results.then(() => undefined)]);
  }

  tell(message: ToWorker): void {
    for (const port of this.#ports) port.postMessage(message);
  }

  tellOne(workerIndex: number, message: ToWorker): void {
    this.#ports[workerIndex]?.postMessage(message);
  }

  async close(): Promise<void> {
    for (const port of this.#ports) port.close();
    await this.#piscina.destroy();
  }

  async #runWorker(options: WorkerPoolOptions, index: number, onReady: () => void): Promise<WorkerResult> {
    const { port1, port2 } = new MessageChannel();
    this.#ports.push(port1);
    const closed = new Promise<void>((resolve) => {
      port1.once('close', resolve);
    });
    port1.on('message', (message: FromWorker) => {
      if (message.kind === 'ready') onReady();
      else options.onMessage(message);
    });
    try {
      const task: WorkerTask = { ...options.taskOf(index), port: port2 };
      const result = (await this.#piscina.run(task, { transferList: [port2] })) as WorkerResult;
      // The last report may still be on its way: the two channels know nothing of each other.
      await closed;
      return result;
    } catch (error) {
      throw new CrowdbeatError('CB_WORKER', `worker ${index}: ${messageOf(error)}`, { cause: error });
    }
  }
}
