/**
 * One answer to `GET /metrics` for all processes of a collector. The process that was asked tells the primary; that
 * asks every process, adds up what comes and gives the sum back:
 *
 *   worker  --wanted-->  primary  --give-->  every worker  --given-->  primary  --sum-->  worker
 *
 * A process that doesn't answer within the deadline is left out: figures of most are better than none.
 */
import { CrowdbeatError, messageOf } from '../base/errors.ts';
import type { MetricsText } from '../http/metrics.ts';
import { addedMetrics, type MetricsData } from './metrics.ts';

export type MetricsToPrimary =
  | { readonly metrics: 'wanted'; readonly question: number }
  | { readonly metrics: 'given'; readonly round: number; readonly data: MetricsData };

export type MetricsToWorker =
  | { readonly metrics: 'give'; readonly round: number }
  | {
      readonly metrics: 'sum';
      readonly question: number;
      readonly sum?: MetricsText;
      readonly failed?: string;
    };

const roundDeadlineMs = 2000;
/** More than a round takes: after it the primary is gone or busy beyond hope. */
const sumDeadlineMs = 5000;

/** True for messages between the processes that this file is about. */
export function isMetricsMessage(message: unknown): message is MetricsToPrimary | MetricsToWorker {
  return typeof message === 'object' && message !== null && 'metrics' in message;
}

/** What the primary needs to know of a worker. */
export interface MetricsWorker {
  isConnected(): boolean;
  send(message: MetricsToWorker): unknown;
}

interface Round {
  readonly data: MetricsData[];
  missing: number;
  readonly end: () => void;
}

/** The primary's side. */
export class MetricsRounds {
  readonly #workers: () => Iterable<MetricsWorker>;
  readonly #rounds = new Map<number, Round>();
  #lastRound = 0;

  constructor(workers: () => Iterable<MetricsWorker>) {
    this.#workers = workers;
  }

  take(from: MetricsWorker, message: MetricsToPrimary): void {
    if (message.metrics === 'wanted') void this.#answer(from, message.question);
    else {
      const round = this.#rounds.get(message.round);
      if (round === undefined) return;
      round.data.push(message.data);
      round.missing -= 1;
      if (round.missing === 0) round.end();
    }
  }

  async #answer(asker: MetricsWorker, question: number): Promise<void> {
    let answer: MetricsToWorker;
    try {
      answer = { metrics: 'sum', question, sum: await addedMetrics(await this.#gather()) };
    } catch (thrown) {
      answer = { metrics: 'sum', question, failed: messageOf(thrown) };
    }
    // Whoever asked may have died meanwhile, and then nobody waits.
    if (asker.isConnected()) asker.send(answer);
  }

  async #gather(): Promise<readonly MetricsData[]> {
    const number = ++this.#lastRound;
    const asked = [...this.#workers()].filter((worker) => worker.isConnected());
    const data: MetricsData[] = [];
    await new Promise<void>((resolve) => {
      const deadline = setTimeout(resolve, roundDeadlineMs);
      const end = (): void => {
        clearTimeout(deadline);
        resolve();
      };
      this.#rounds.set(number, { data, missing: asked.length, end });
      for (const worker of asked) worker.send({ metrics: 'give', round: number });
    });
    this.#rounds.delete(number);
    return data;
  }
}

/** A worker's side. */
export class MetricsPeers {
  readonly #tell: (message: MetricsToPrimary) => void;
  readonly #waiting = new Map<number, (answer: MetricsToWorker & { metrics: 'sum' }) => void>();
  #own: (() => Promise<MetricsData>) | undefined;
  #lastQuestion = 0;

  constructor(tell: (message: MetricsToPrimary) => void) {
    this.#tell = tell;
  }

  /** Says where this process's own figures are. */
  serve(own: () => Promise<MetricsData>): void {
    this.#own = own;
  }

  take(message: MetricsToWorker): void {
    if (message.metrics === 'sum') this.#waiting.get(message.question)?.(message);
    else void this.#give(message.round);
  }

  async #give(round: number): Promise<void> {
    this.#tell({ metrics: 'given', round, data: (await this.#own?.()) ?? [] });
  }

  /** Throws CB_COLLECTOR_START when the primary does not answer. */
  gather(): Promise<MetricsText> {
    const question = ++this.#lastQuestion;
    return new Promise<MetricsText>((resolve, reject) => {
      const fail = (why: string): void => reject(new CrowdbeatError('CB_COLLECTOR_START', `metrics: ${why}`));
      const deadline = setTimeout(() => {
        this.#waiting.delete(question);
        fail(`the primary process gave no sum within ${sumDeadlineMs} ms`);
      }, sumDeadlineMs);
      this.#waiting.set(question, ({ sum, failed }) => {
        clearTimeout(deadline);
        this.#waiting.delete(question);
        if (sum === undefined) fail(failed ?? 'the primary process has none');
        else resolve(sum);
      });
      this.#tell({ metrics: 'wanted', question });
    });
  }
}
