/** One run of the fuzzer: cases over a few connections at a time, until enough requests are sent or something breaks. */
import type { Clock } from '../../server/base/clock.ts';
import { type FuzzCase, makeCase } from './cases.ts';
import { judgeMemory, type MemorySample, type MemoryVerdict, residentBytes } from './memory.ts';
import type { Crowd, CrowdVerdict, FuzzedCollector } from './processes.ts';
import { type Outcome, sendCase } from './send.ts';

export interface FuzzOptions {
  readonly seed: number;
  readonly requests: number;
  /** Number of the first case: 0, or that of a finding, to see it again. */
  readonly firstCase: number;
  readonly clock: Clock;
  readonly onProgress?: (sent: number, seconds: number) => void;
}

export interface Finding {
  readonly fuzzCase: FuzzCase;
  readonly words: string;
}

export interface FuzzResult {
  readonly requests: number;
  readonly cases: number;
  readonly seconds: number;
  /** Replies by status. */
  readonly statuses: ReadonlyMap<number, number>;
  readonly findings: readonly Finding[];
  readonly memory: MemoryVerdict;
  readonly crowd: CrowdVerdict;
  /** How the collector ended, if it did before it was asked to. */
  readonly death: string | undefined;
}

const lanes = 48;
const findingsMax = 20;
const sampleMs = 250;

/** A 5xx that is honest: the queue is full, Redis is away, too many connections or passwords at a time. */
const honest = 503;

class Run {
  readonly statuses = new Map<number, number>();
  readonly findings: Finding[] = [];
  sent = 0;
  nextCase: number;
  readonly #options: FuzzOptions;
  readonly #collector: FuzzedCollector;

  constructor(options: FuzzOptions, collector: FuzzedCollector) {
    this.#options = options;
    this.#collector = collector;
    this.nextCase = options.firstCase;
  }

  /** Sends one case after the other. */
  async lane(): Promise<void> {
    const { seed, requests } = this.#options;
    const port = Number(this.#collector.url.port);
    while (
      this.sent < requests &&
      this.findings.length < findingsMax &&
      this.#collector.death() === undefined
    ) {
      const fuzzCase = makeCase(seed, this.nextCase++);
      this.sent += fuzzCase.requests;
      this.#judge(fuzzCase, await sendCase(port, fuzzCase));
    }
  }

  #judge(fuzzCase: FuzzCase, { statuses, isHung, tail }: Outcome): void {
    for (const status of statuses) {
      this.statuses.set(status, (this.statuses.get(status) ?? 0) + 1);
      if (status >= 500 && status !== honest) this.#find(fuzzCase, `answered ${status}: ${tail}`);
    }
    if (isHung) this.#find(fuzzCase, `was left open, after: ${tail}`);
  }

  #find(fuzzCase: FuzzCase, words: string): void {
    this.findings.push({ fuzzCase, words });
  }
}

/** Never throws for what the collector does: that is the result. */
export async function fuzz(
  options: FuzzOptions,
  collector: FuzzedCollector,
  crowd: Crowd,
): Promise<FuzzResult> {
  const { clock } = options;
  const run = new Run(options, collector);
  const startMs = clock.monotonicMs();
  const seconds = (): number => (clock.monotonicMs() - startMs) / 1000;
  const samples: MemorySample[] = [];
  const sampling = setInterval(() => {
    const bytes = residentBytes(collector.pid);
    if (bytes !== undefined) samples.push({ requests: run.sent, bytes });
    options.onProgress?.(run.sent, seconds());
  }, sampleMs);
  await Promise.all(Array.from({ length: lanes }, () => run.lane()));
  clearInterval(sampling);
  const took = seconds();
  return {
    requests: run.sent,
    cases: run.nextCase - options.firstCase,
    seconds: took,
    statuses: run.statuses,
    findings: run.findings,
    memory: judgeMemory(samples),
    crowd: await crowd.stop(),
    death: collector.death(),
  };
}

/** What went wrong, one line each; nothing if all is well. */
export function faultsOf(result: FuzzResult, seed: number): string[] {
  const faults = result.findings.map(({ fuzzCase, words }) => {
    const again = `--seed ${seed} --case ${fuzzCase.number} --requests 1`;
    return `case ${fuzzCase.number} (${fuzzCase.what}) ${words.replaceAll(/\s+/g, ' ')}; again: ${again}`;
  });
  if (result.death !== undefined) faults.push(`the collector ended with ${result.death}`);
  if (!result.memory.isFlat)
    faults.push(
      `the collector's memory grew by ${Math.round(result.memory.grownBytes / 1e6)} MB after the warm-up`,
    );
  if (!result.crowd.isExact) faults.push(`the crowd beside it: ${result.crowd.words}`);
  return faults;
}
