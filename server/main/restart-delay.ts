/**
 * How long a dead worker's place stays empty. The first death is repaired at once, because a crowd waits; one
 * that dies again and again (Redis gone, no memory) must not take the machine with it.
 */
const firstMs = 100;
const mostMs = 10_000;
/** Who lived so long died of something new. */
const steadyLifeMs = 10_000;

/**
 * @param earlyDeaths how many predecessors in a row died before they were steady
 * @param livedMs how long the one that just died had lived
 */
export function restartDelay(
  earlyDeaths: number,
  livedMs: number,
): { readonly delayMs: number; readonly earlyDeaths: number } {
  const deaths = livedMs >= steadyLifeMs ? 0 : earlyDeaths;
  return {
    delayMs: deaths === 0 ? 0 : Math.min(firstMs * 2 ** (deaths - 1), mostMs),
    earlyDeaths: deaths + 1,
  };
}
