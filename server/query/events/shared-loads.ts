/** What was loaded by a key, kept within the budget; whoever asks while it is being loaded waits for the same. */
import type { Hold, MemoryBudget } from './memory-budget.ts';

interface Load<V> {
  readonly value: Promise<V>;
  hold: Hold | undefined;
}

export class SharedLoads<K, V> {
  readonly #budget: MemoryBudget;
  readonly #bytesOf: (value: V) => number;
  readonly #loads = new Map<K, Load<V>>();
  #isReleased = false;

  constructor(budget: MemoryBudget, bytesOf: (value: V) => number) {
    this.#budget = budget;
    this.#bytesOf = bytesOf;
  }

  get(key: K, load: () => Promise<V>): Promise<V> {
    const known = this.#loads.get(key);
    if (known !== undefined) {
      known.hold?.touch();
      return known.value;
    }
    const begun: Load<V> = { value: load(), hold: undefined };
    this.#loads.set(key, begun);
    begun.value.then(
      (value) => this.#keep(key, begun, value),
      // A load that failed is tried again by the next who asks; these who wait are told by the promise itself.
      () => this.#loads.delete(key),
    );
    return begun.value;
  }

  /** What is there or on its way; nothing is begun. */
  known(key: K): Promise<V> | undefined {
    const known = this.#loads.get(key);
    known?.hold?.touch();
    return known?.value;
  }

  #keep(key: K, load: Load<V>, value: V): void {
    if (this.#isReleased) {
      this.#loads.delete(key);
      return;
    }
    load.hold = this.#budget.hold(this.#bytesOf(value), () => this.#loads.delete(key));
  }

  /** Gives everything back; what is asked for afterwards is loaded and not kept. */
  release(): void {
    this.#isReleased = true;
    for (const { hold } of this.#loads.values()) hold?.release();
    this.#loads.clear();
  }
}
