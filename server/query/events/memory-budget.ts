/**
 * Bounds what is kept in memory for questions, over all properties of a process: whoever keeps something holds a part
 * of the budget for it, and lets go when told. The least recently used is told first.
 */

/** Something that is kept. */
export interface Hold {
  /** It was used just now. */
  touch(): void;
  resize(bytes: number): void;
  /** It is not kept any more. */
  release(): void;
}

interface Held {
  bytes: number;
  readonly letGo: () => void;
}

export class MemoryBudget {
  readonly #bytesMax: number;
  /** The least recently used first. */
  readonly #held = new Set<Held>();
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** What is held now. */
  get bytes(): number {
    return this.#bytes;
  }

  /** @param letGo called at most once, when it must go; not after `release` */
  hold(bytes: number, letGo: () => void): Hold {
    const held: Held = { bytes, letGo };
    this.#held.add(held);
    this.#bytes += bytes;
    this.#makeRoom(held);
    return {
      touch: () => {
        if (this.#held.delete(held)) this.#held.add(held);
      },
      resize: (size) => {
        if (!this.#held.has(held)) return;
        this.#bytes += size - held.bytes;
        held.bytes = size;
        this.#makeRoom(held);
      },
      release: () => this.#forget(held),
    };
  }

  #forget(held: Held): void {
    if (this.#held.delete(held)) this.#bytes -= held.bytes;
  }

  /** What has just grown stays, also when it is larger than all there is: somebody is about to use it. */
  #makeRoom(grown: Held): void {
    for (const held of this.#held) {
      if (this.#bytes <= this.#bytesMax) return;
      if (held === grown) continue;
      this.#forget(held);
      held.letGo();
    }
  }
}
