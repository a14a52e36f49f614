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
  /** Where each waiting token is, while somebody withdraws many; undefined while nobody does. */
  #places: Map<number, number> | undefined;

  get size(): number {
    return this.#size;
  }

  push(waiting: WaitingRequest): void {
    if (this.#tail - this.#head === this.#ring.length) this.#grow();
    this.#ring[this.#tail & (this.#ring.length - 1)] = waiting;
    this.#places?.set(waiting.token, this.#tail);
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
    this.#places?.delete(oldest.token);
    this.#head += 1;
    this.#size -= 1;
    if (this.#size === 0) this.#places = undefined;
    return oldest;
  }

  /**
   * Takes one out of the middle. A token waits once at a time. At the end of an overload tens of thousands are
   * withdrawn one by one, and looking through all the others for each held a worker for 25 s; so the first one
   * notes where all of them are.
   */
  withdraw(token: number): boolean {
    this.#places ??= this.#findPlaces();
    const at = this.#places.get(token);
    if (at === undefined) return false;
    this.#ring[at & (this.#ring.length - 1)] = undefined;
    this.#places.delete(token);
    this.#size -= 1;
    if (this.#size === 0) this.#places = undefined;
    return true;
  }

  #findPlaces(): Map<number, number> {
    const places = new Map<number, number>();
    for (let at = this.#head; at < this.#tail; at += 1) {
      const waiting = this.#ring[at & (this.#ring.length - 1)];
      if (waiting !== undefined) places.set(waiting.token, at);
    }
    return places;
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
    this.#places = undefined;
  }
}
