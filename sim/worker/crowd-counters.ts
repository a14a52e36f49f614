/** What a worker counts between two reports, beside the ledger. */
import { eventTypes, type SentEventType } from '../targets/event-request.ts';

export interface CrowdInterval {
  readonly acknowledged: Record<SentEventType, number>;
  readonly errors: Record<string, number>;
  readonly retries: number;
}

export class CrowdCounters {
  /** Since the run began. */
  started = 0;
  ended = 0;
  present = 0;
  #presentMax = 0;
  /** Sums of departures minus sums of arrivals, ms: by the clock, and as planned. */
  #clockMs = 0;
  #plannedMs = 0;
  /** Since the last `takeInterval`. */
  readonly #acknowledged: Float64Array;
  readonly #types: readonly SentEventType[];
  #errors: Record<string, number> = {};
  #retries = 0;

  constructor(types: readonly SentEventType[] = eventTypes) {
    this.#types = types;
    this.#acknowledged = new Float64Array(types.length);
  }

  /** Run times, ms: when the visitor was to arrive, and when it did. */
  arrive(plannedMs: number, nowMs: number): void {
    this.#plannedMs -= plannedMs;
    this.#clockMs -= nowMs;
    this.started += 1;
    this.present += 1;
    if (this.present > this.#presentMax) this.#presentMax = this.present;
  }

  depart(plannedMs: number, nowMs: number): void {
    this.#plannedMs += plannedMs;
    this.#clockMs += nowMs;
    this.ended += 1;
    this.present -= 1;
  }

  /** Visitor-milliseconds since the run began, up to a run time: by the clock, and as planned. */
  visitorTime(untilMs: number): { presentMs: number; plannedMs: number } {
    const openMs = this.present * untilMs;
    return { presentMs: this.#clockMs + openMs, plannedMs: this.#plannedMs + openMs };
  }

  /** Most present at once since the last call. */
  takePresentMax(): number {
    const max = this.#presentMax;
    this.#presentMax = this.present;
    return max;
  }

  /** Counts an acknowledged event of an act kind. */
  acknowledge(kind: number): void {
    this.#acknowledged[kind]! += 1;
  }

  /** Counts an attempt that must be repeated. */
  error(reason: string): void {
    this.#errors[reason] = (this.#errors[reason] ?? 0) + 1;
    this.#retries += 1;
  }

  takeInterval(): CrowdInterval {
    const taken = {
      acknowledged: Object.fromEntries(
        this.#types.map((type, kind) => [type, this.#acknowledged[kind] ?? 0]),
      ),
      errors: this.#errors,
      retries: this.#retries,
    };
    this.#acknowledged.fill(0);
    this.#errors = {};
    this.#retries = 0;
    return taken;
  }
}
