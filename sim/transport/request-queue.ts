/** Requests that wait for a connection, first in, first out: a ring that doubles when it is full. */
export interface WaitingRequest {
  readonly token: number;
  readonly request: string;
  /** Since when it waits, on the monotonic clock, in ms. */
  readonly sinceMs: number;
}

export class RequestQueue {
  /** Power of two long. A hole is a request that was withdrawn. */
  #ring: (WaitingRequest | undefined)[] = new Array(64).fill(undefined);
  #head = 0;
  #tail = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  push(waiting: WaitingRequest): void {
    if (this.#tail - this.#head === this.#ring.length) this.#grow();
    this.#ring[this.#tail & (this.#ring.length - 1)] = waiting;
    this.#tail += 1;
    this.#size += 1;
  }

  /** The oldest, left where it is. */
  peek(): WaitingRequest | undefined {
    this.#skipHoles();
    return this.#ring[this.#head & (this.#ring.length - 1)];
  }

  shift(): WaitingRequest | undefined {
    const oldest = this.peek();
    if (oldest === undefined) return undefined;
    this.#ring[this.#head & (this.#ring.length - 1)] = undefined;
    this.#head += 1;
    this.#size -= 1;
    return oldest;
  }

  /** Takes one out of the middle. Looks from the oldest on, as those are the ones people lose patience with. */
  withdraw(token: number): boolean {
    for (let at = this.#head; at < this.#tail; at += 1) {
      const slot = at & (this.#ring.length - 1);
      if (this.#ring[slot]?.token !== token) continue;
      this.#ring[slot] = undefined;
      this.#size -= 1;
      return true;
    }
    return false;
  }

  #skipHoles(): void {
    while (this.#head < this.#tail && this.#ring[this.#head & (this.#ring.length - 1)] === undefined)
      this.#head += 1;
  }

  #grow(): void {
    const ring = new Array<WaitingRequest | undefined>(this.#ring.length * 2).fill(undefined);
    const kept = this.#ring.slice(this.#head & (this.#ring.length - 1));
    kept.push(...this.#ring.slice(0, this.#ring.length - kept.length));
    for (let at = 0; at < kept.length; at += 1) ring[at] = kept[at];
    this.#ring = ring;
    this.#head = 0;
    this.#tail = kept.length;
  }
}
