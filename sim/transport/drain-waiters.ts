/** Those who wait for the pool to be drained, each until a deadline of their own. */
interface DrainWaiter {
  readonly deadlineMs: number;
  readonly resolve: (drained: boolean) => void;
}

export class DrainWaiters {
  #waiters: DrainWaiter[] = [];

  get size(): number {
    return this.#waiters.length;
  }

  /** Resolves with what `check` finds: true once drained, false at the deadline. */
  wait(deadlineMs: number): Promise<boolean> {
    return new Promise((resolve) => this.#waiters.push({ deadlineMs, resolve }));
  }

  check(drained: boolean, nowMs: number): void {
    const over = this.#waiters.filter((waiter) => drained || nowMs >= waiter.deadlineMs);
    this.#waiters = this.#waiters.filter((waiter) => !over.includes(waiter));
    for (const waiter of over) waiter.resolve(drained);
  }
}
