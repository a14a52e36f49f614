/** Twenty kills that follow from a seed: printed with it, a bad run can be had again. Pure. */

export type Victim = 'collector 1' | 'collector 2' | 'Redis';

export interface Kill {
  /** From the crowd's arrival. */
  readonly atMs: number;
  readonly victim: Victim;
  /** From its death to the order to start it again. */
  readonly downMs: number;
}

const victims: readonly Victim[] = ['collector 1', 'collector 2', 'Redis'];
const gapMs = { min: 500, max: 4000 };
const downMs = { min: 100, max: 2500 };
/** A killed process needs this long to be up again, after which it may be killed again. */
const recoveryMs = 2000;

/**
 * Victims may be down at the same time, but nobody is killed who is down already. Times are whole ms; the
 * first kill comes at least 2 s after the crowd's arrival.
 * @param seed whole, 0 to 2^32 - 1
 */
export function killSchedule(seed: number, count: number): Kill[] {
  const random = stream(seed);
  const between = ({ min, max }: { min: number; max: number }): number =>
    Math.round(min + random() * (max - min));
  const upAgainMs = new Map<Victim, number>();
  const kills: Kill[] = [];
  let atMs = 2000;
  while (kills.length < count) {
    atMs += between(gapMs);
    const standing = victims.filter((victim) => (upAgainMs.get(victim) ?? 0) <= atMs);
    const victim = standing[Math.floor(random() * standing.length)];
    const kill = { atMs, downMs: between(downMs) };
    if (victim === undefined) continue;
    kills.push({ ...kill, victim });
    upAgainMs.set(victim, atMs + kill.downMs + recoveryMs);
  }
  return kills;
}

/** Mulberry32: 32 bits of state are plenty for sixty numbers. In [0, 1). */
function stream(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
