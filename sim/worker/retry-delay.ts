/**
 * How long to wait before an event is sent again.
 *
 * The target's Retry-After wins. Otherwise exponential back-off from 100 ms to 2 s. Both are spread by up
 * to half again, so that a crowd that failed together does not come back together; the spread comes from
 * the act's number and not from chance, because plans must not depend on replies.
 */
const firstDelayMs = 100;
const delayMsMax = 2000;

/** `attempts`: how often it was sent so far, >= 1. `retryAfterMs`: -1 = the target named none. */
export function retryDelayMs(attempts: number, retryAfterMs: number, token: number): number {
  const baseMs =
    retryAfterMs >= 0 ? Math.max(retryAfterMs, firstDelayMs) : firstDelayMs * 2 ** Math.min(attempts - 1, 10);
  const capped = retryAfterMs >= 0 ? baseMs : Math.min(baseMs, delayMsMax);
  // Weyl sequence of the golden ratio: neighbouring tokens lie far apart in [0, 1).
  const spread = (token * 0.618_033_988_749_895) % 1;
  return capped * (1 + spread / 2);
}
