/**
 * Freshness: how long after its acknowledgement an event is in an answer. About once a second one event that was just
 * acknowledged is asked for until it is found; what counts is the time from the acknowledgement to the end of the first
 * answer that has it, so the question's own time is in it.
 *
 * Bounded cost: one question at a time, and after each event a rest of four times as long as it took, 15 s at most.
 */
import type { Clock } from '../../server/base/clock.ts';
import { HistogramSet, type LatencySummary, Recorder } from '../measure/index.ts';
import type { SampledEvent } from '../worker/unknown-acts.ts';
import type { CollectorApi } from './collector-api.ts';
import { eventClause } from './unknown-events.ts';

export interface Freshness {
  /** From the acknowledgement to the end of the first answer with the event, milliseconds; null without samples. */
  readonly ms: LatencySummary | null;
  /** Events that were in no answer within 10 s. */
  readonly missing: number;
  /** Why nothing was asked, or no longer; null if all was well. */
  readonly reason: string | null;
}

const patienceMs = 10_000;
const pollMs = 20;
const restFactor = 4;
const restMsMax = 15_000;

export class FreshnessProbe {
  readonly #api: CollectorApi;
  readonly #clock: Clock;
  readonly #recorder = new Recorder();
  readonly #histograms = new HistogramSet({ steadyFromMs: 0 });
  readonly #series = this.#recorder.seriesOf('response', 'freshness');
  #isBusy = false;
  #restUntilMs = 0;
  #missing = 0;
  #reason: string | null = null;
  #isClosed = false;

  constructor(api: CollectorApi, clock: Clock) {
    this.#api = api;
    this.#clock = clock;
  }

  /** Takes an event to look for, unless one is being looked for, or it is time to rest. Never rejects. */
  async look(event: SampledEvent): Promise<void> {
    if (this.#isBusy || this.#isClosed || this.#clock.monotonicMs() < this.#restUntilMs) return;
    this.#isBusy = true;
    const startMs = this.#clock.monotonicMs();
    try {
      await this.#lookUntilFound(event);
    } catch (error) {
      // A target that is away is the run's matter, not freshness's; the next sample may find it again.
      this.#reason = error instanceof Error ? error.message : String(error);
    }
    const nowMs = this.#clock.monotonicMs();
    this.#restUntilMs = nowMs + Math.min(restMsMax, (nowMs - startMs) * restFactor);
    this.#isBusy = false;
  }

  /** Ends the looking; what is being looked for is forgotten. */
  close(): Freshness {
    this.#isClosed = true;
    this.#histograms.add(this.#recorder.takeInterval(this.#clock.monotonicMs()));
    const ms = this.#histograms.summary('whole', 'response') ?? null;
    return { ms, missing: this.#missing, reason: this.#reason };
  }

  async #lookUntilFound(event: SampledEvent): Promise<void> {
    const q = eventClause(event);
    while (!this.#isClosed) {
      const answer = await this.#api.query({ q });
      if (this.#isClosed) return;
      if (answer === undefined) {
        this.#reason = 'the target has no POST /query';
        this.#isClosed = true;
        return;
      }
      const afterMs = this.#clock.monotonicMs() - event.acknowledgedMs;
      if (answer.numFound > 0) {
        this.#recorder.record(this.#series, afterMs * 1000);
        return;
      }
      if (afterMs > patienceMs) {
        this.#missing += 1;
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, pollMs));
    }
  }
}
