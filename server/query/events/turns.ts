/** Work for whole segments is done in slices, so that requests are answered in between. */

/** Documents of one slice: reading one takes 1 to 3 us, parsing one whose shape is not known 5 to 15, by the machine. */
export const documentsPerTurn = 64;

/** Bytes of one slice, for documents that are long: a document has at most a few times as many. */
export const bytesPerTurn = 65_536;

/** Resolves when everything that waits has had its turn. */
export const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Says when a turn has done enough. */
export class TurnWork {
  #documents = 0;
  #bytes = 0;

  /** After a document. True: the turn shall end now. */
  isEnough(bytes: number): boolean {
    this.#documents++;
    this.#bytes += bytes;
    if (this.#documents < documentsPerTurn && this.#bytes < bytesPerTurn) return false;
    this.#documents = 0;
    this.#bytes = 0;
    return true;
  }
}
