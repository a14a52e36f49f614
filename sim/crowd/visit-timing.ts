/** The times of a visit that are the same on every site. */

/** From sessionStart to the first view: log-normal, clamped. A quick to a slow page load, not measured. */
export const pageLoad = { medianMs: 150, sigma: 0.5, minMs: 60, maxMs: 400 } as const;

/** A visitor is gone after this, whatever it reads. */
export const sessionMsMax = 4 * 3_600_000;

/** When a visitor leaves, the next one of its slot comes within this: uniform, mean one half of it. */
export const gapMsMax = 500;

/** A returning visitor is one of this many people who were last new in its slot. */
export const recentPersons = 4;
