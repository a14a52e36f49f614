/** What one trial's window must hold to be believed: the books balance, and it was past its warm-up. */
import { median, theilSenSlope } from './order.ts';

export interface WindowBooks {
  /** Time-average of requests in flight, integrated at each start and end. */
  readonly inFlightMean: number;
  readonly completed: number;
  readonly seconds: number;
  /** Mean service time of the same window: the time a request was in flight. */
  readonly serviceMeanUs: number;
}

export interface LittleCheck {
  readonly L: number;
  readonly lambdaW: number;
  /** |L - lambda W| / L; 0 if nothing was in flight and nothing completed. */
  readonly relErr: number;
}

/**
 * Little's law, L = lambda W, holds for any window that begins and ends empty, whatever the arrivals (Little,
 * Operations Research 9, 1961). Where it doesn't, records were dropped or a clock is wrong.
 */
export function littlesLaw({ inFlightMean: L, completed, seconds, serviceMeanUs }: WindowBooks): LittleCheck {
  const lambdaW = ((completed / seconds) * serviceMeanUs) / 1e6;
  const gap = Math.abs(L - lambdaW);
  return { L, lambdaW, relErr: gap === 0 ? 0 : gap / L };
}

export interface Steadiness {
  readonly ok: boolean;
  readonly slopePctPerMin: number;
  /** Median of the second half by that of the first. */
  readonly lastHalfVsFirst: number;
}

/**
 * Whether a window had settled: over it, the trend of the medians by second (Theil-Sen) moves them by at most
 * 5 %, and its halves' medians lie within 5 % of each other.
 *
 * @param medians p50 of each second, in order, above 0; fewer than 4 say nothing and are not steady
 */
export function steadiness(medians: readonly number[], limit = 0.05): Steadiness {
  if (medians.length < 4) return { ok: false, slopePctPerMin: 0, lastHalfVsFirst: 1 };
  const level = median(medians);
  const slope = theilSenSlope(medians.map((value, second) => [second, value])) / level;
  const half = medians.length >> 1;
  const lastHalfVsFirst = median(medians.slice(-half)) / median(medians.slice(0, half));
  const ok = Math.abs(slope) * medians.length <= limit && Math.abs(lastHalfVsFirst - 1) <= limit;
  return { ok, slopePctPerMin: slope * 60 * 100, lastHalfVsFirst };
}
