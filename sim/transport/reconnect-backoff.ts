/**
 * How long to leave a dead target alone: 50 ms after the first failure, doubling to 2 s, each delay cut by
 * up to half by a jitter. The jitter is the golden-ratio sequence, frac(k * 0.618…): spread evenly and the
 * same in every run. Pools with different seeds start at different places of it, so that workers don't
 * knock in step.
 */
const firstDelayMs = 50;
const lastDelayMs = 2000;
const goldenRatio = 0.618_033_988_749_895;

export class ReconnectBackoff {
  readonly #seed: number;
  #failures = 0;
  #drawn = 0;
  #notBeforeMs = Number.NEGATIVE_INFINITY;

  constructor(seed: number) {
    this.#seed = seed;
  }

  /** True since a failure and until the next success. */
  get failing(): boolean {
    return this.#failures > 0;
  }

  /** Connections opened together fail together: within a delay that already runs, failures count once. */
  failed(nowMs: number): void {
    if (!this.mayTry(nowMs)) return;
    const delayMs = Math.min(lastDelayMs, firstDelayMs * 2 ** Math.min(this.#failures, 10));
    this.#failures += 1;
    this.#drawn += 1;
    const jitter = ((this.#seed + this.#drawn) * goldenRatio) % 1;
    this.#notBeforeMs = nowMs + delayMs * (1 - jitter / 2);
  }

  succeeded(): void {
    this.#failures = 0;
    this.#notBeforeMs = Number.NEGATIVE_INFINITY;
  }

  mayTry(nowMs: number): boolean {
    return nowMs >= this.#notBeforeMs;
  }
}
