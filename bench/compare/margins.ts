/**
 * How far apart two builds must be on this machine for a metric to matter, and whether it is gated. Everything
 * here is in the session's plan, so it was settled before anything was measured.
 */
import type { Plan } from '../record/index.ts';
import { gatedTailSamples, metricRules, type Reading } from './metrics.ts';

/** Until then the floor of a machine is a guess, and counts double. */
export const floorSessionsMin = 20;

export interface Margin {
  readonly value: number;
  readonly from: 'table' | 'plan' | 'A/A floor';
}

/** The greater of the metric's margin and what equal builds differ by on such a machine. */
export function marginOf({ name, kind }: Pick<Reading, 'name' | 'kind'>, plan: Plan): Margin {
  const asked = plan.delta[name] ?? plan.delta[kind];
  const least = asked ?? metricRules[kind].margin;
  const floor = plan.aaFloor[name];
  const doubt = floor !== undefined && floor.sessions >= floorSessionsMin ? 1 : 2;
  const value = Math.max(least, doubt * (floor?.floor ?? 0));
  return { value, from: value > least ? 'A/A floor' : asked === undefined ? 'table' : 'plan' };
}

/** Why a metric is only shown, or undefined if it is gated. */
export function whyAdvisory(
  reading: Reading,
  fewestSamples: number | null,
  plan: Plan,
  open: boolean,
): string | undefined {
  const { name, kind } = reading;
  const { gate, quantile } = metricRules[kind];
  if (gate === 'never') return 'never gated';
  if (kind === 'throughput' && open) return 'fixed by the offered load';
  if (kind === 'counter' && !Object.hasOwn(plan.counters, name.replace(/^counter\./, '')))
    return 'not declared as exact';
  if (quantile !== undefined && !carries(fewestSamples ?? 0, quantile))
    return `a trial of ${fewestSamples ?? 0} requests has fewer than ${gatedTailSamples} beyond it`;
  if (gate !== 'if measured well') return undefined;
  const floor = plan.aaFloor[name];
  if (floor === undefined) return 'the floor of this machine is not known; measure it with A/A sessions';
  const margin = plan.delta[name] ?? plan.delta[kind] ?? metricRules[kind].margin;
  if (floor.floor <= margin / 2) return undefined;
  return `equal builds differ by ${(floor.floor * 100).toFixed(1)} % here, more than half the margin`;
}

function carries(samples: number, quantile: number): boolean {
  return Math.round(samples * (1 - quantile) * 1e6) / 1e6 >= gatedTailSamples;
}
