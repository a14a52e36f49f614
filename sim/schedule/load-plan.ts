/**
 * How much of a crowd there is at each moment of a run, as data: visitors present (each who leaves is replaced), or
 * arrivals a second (nobody is replaced). Everything is a pure function of run time and seed.
 *
 *   level(t) = base(t) x curve(t) x spike(t)
 *
 * base: a constant, or stages. curve: a day, or a week of days, around 1. spike: 1, and for a while more.
 */
export interface Stage {
  readonly durationMs: number;
  /** At its end; on the way there the level changes evenly. */
  readonly level: number;
}

export interface Curve {
  readonly shape: 'day' | 'week';
  /** The highest level by the mean of a day; above 1. */
  readonly peak: number;
  /** How long a day takes; 86,400,000 in real time. */
  readonly dayMs: number;
}

export interface Spike {
  readonly atMs: number;
  /** So many times the level. */
  readonly times: number;
  readonly forMs: number;
}

export interface LoadPlan {
  /** What the level counts: visitors present, or arrivals a second, evenly spaced or as a Poisson process. */
  readonly model: 'present' | 'poisson' | 'uniform';
  /** The level, if there are no stages. */
  readonly base: number;
  readonly stages: readonly Stage[];
  readonly curve: Curve | undefined;
  readonly spikes: readonly Spike[];
}

/** How long a spike takes to rise, and to fall: short for a crowd, and yet no wall. */
export const spikeEdgeMs = 1000;

/** Of a curve's day; 5 minutes of a real one. The level changes evenly between two of them. */
const curveStepsPerDay = 288;

/** Monday to Sunday, by the mean of the week. */
const weekdays = [1.07, 1.09, 1.08, 1.06, 1.02, 0.82, 0.86];

/** The level at a run time of at least 0. */
export function levelAt(plan: LoadPlan, ms: number): number {
  const { curve } = plan;
  return baseAt(plan, ms) * (curve === undefined ? 1 : curveAt(curve, ms)) * spikeAt(plan.spikes, ms);
}

function baseAt({ base, stages }: LoadPlan, ms: number): number {
  if (stages.length === 0) return base;
  let startMs = 0;
  let from = 0;
  for (const { durationMs, level } of stages) {
    if (ms < startMs + durationMs) return from + ((level - from) * (ms - startMs)) / durationMs;
    startMs += durationMs;
    from = level;
  }
  return from;
}

/**
 * A day begins at its quietest, three in the night, and peaks twelve hours later. exp(k cos x), the shape of von
 * Mises' distribution, has any ratio of peak to mean, where a sine ends at 2, and never reaches 0.
 */
function curveAt({ shape, peak, dayMs }: Curve, ms: number): number {
  const k = concentrationOf(peak);
  const angle = (2 * Math.PI * (ms % dayMs)) / dayMs - Math.PI;
  const ofDay = Math.exp(k * Math.cos(angle)) / bessel0(k);
  return shape === 'day' ? ofDay : ofDay * (weekdays[Math.floor(ms / dayMs) % 7] ?? 1);
}

const concentrations = new Map<number, number>();

/** The k at which exp(k) / I0(k) is the peak; by bisection, as the ratio grows with k. */
function concentrationOf(peak: number): number {
  const known = concentrations.get(peak);
  if (known !== undefined) return known;
  let [low, high] = [0, 400];
  for (let step = 0; step < 60; step += 1) {
    const middle = (low + high) / 2;
    if (Math.exp(middle) / bessel0(middle) < peak) low = middle;
    else high = middle;
  }
  concentrations.set(peak, low);
  return low;
}

/** The modified Bessel function of the first kind, order 0, by its power series. */
function bessel0(x: number): number {
  let term = 1;
  let sum = 1;
  for (let n = 1; term > sum * 1e-17; n += 1) {
    term *= (x / (2 * n)) ** 2;
    sum += term;
  }
  return sum;
}

function spikeAt(spikes: readonly Spike[], ms: number): number {
  return spikes.reduce((level, { atMs, times, forMs }) => {
    const risen = Math.min(1, Math.max(0, (ms - atMs) / spikeEdgeMs));
    const fallen = Math.min(1, Math.max(0, (ms - atMs - forMs) / spikeEdgeMs));
    return level * (1 + (times - 1) * (risen - fallen));
  }, 1);
}

/** A moment at which the level begins to change otherwise. */
export interface Knot {
  readonly atMs: number;
  readonly level: number;
}

/**
 * The level as a line through knots, evenly changing between two of them, from 0 on and without an end; the last knot
 * of a level that stays is followed by one at `Infinity`.
 */
export function* levelLine(plan: LoadPlan): Generator<Knot, never> {
  const { curve } = plan;
  const corners = cornersOf(plan);
  let step = 1;
  let last = -1;
  yield { atMs: 0, level: levelAt(plan, 0) };
  for (let at = 0; ; ) {
    const stepMs = curve === undefined ? Number.POSITIVE_INFINITY : (step * curve.dayMs) / curveStepsPerDay;
    const cornerMs = corners[at] ?? Number.POSITIVE_INFINITY;
    const atMs = Math.min(stepMs, cornerMs);
    if (stepMs <= cornerMs) step += 1;
    if (cornerMs <= stepMs) at += 1;
    if (atMs <= last || atMs === 0) continue;
    last = Number.isFinite(atMs) ? atMs : last;
    yield { atMs, level: levelAt(plan, Number.isFinite(atMs) ? atMs : last + 1) };
  }
}

function cornersOf({ stages, spikes }: LoadPlan): number[] {
  const corners: number[] = [];
  let endMs = 0;
  for (const { durationMs } of stages) {
    endMs += durationMs;
    corners.push(endMs);
  }
  for (const { atMs, forMs } of spikes)
    corners.push(atMs, atMs + spikeEdgeMs, atMs + forMs, atMs + forMs + spikeEdgeMs);
  return corners.sort((a, b) => a - b);
}
