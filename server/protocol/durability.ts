/** What a writer may ask of the acknowledgement of a write, and how. */

/** What costs a question to Redis after the commit. */
export type AskedDurability = 'fsynced' | 'replicated';

export const askedDurabilities: readonly AskedDurability[] = ['fsynced', 'replicated'];

/** The header that says it; the query parameter and the member of the envelope are `durability`. */
export const durabilityHeader = 'x-crowdbeat-durability';
