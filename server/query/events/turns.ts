/** Work for whole segments is done in slices, so that requests are answered in between. */

/** Documents of one slice: parsing and reading one takes 5 to 15 us, by the machine. */
export const documentsPerTurn = 64;

/** Resolves when everything that waits has had its turn. */
export const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
