/**
 * How many visitors come and when, as people type it: `--arrivals`, `--stages`, `--curve`, `--spike`, `--warm`. Texts
 * become a LoadPlan here.
 */
import { CrowdbeatError } from '../../server/base/errors.ts';
import { parseDurationMs, parseRatePerSecond } from '../../server/base/units.ts';
import { expectedVisit } from '../crowd/closed-form.ts';
import type { CrowdConfig } from '../crowd/crowd-config.ts';
import type { Curve, LoadPlan, Spike, Stage } from '../schedule/load-plan.ts';

export interface Arrivals {
  readonly process: 'poisson' | 'uniform';
  readonly perSecond: number;
}

/** `50/s`: as a Poisson process; `uniform:50/s`: evenly spaced. */
export function readArrivals(raw: unknown): Arrivals | undefined {
  const match = typeof raw === 'string' ? /^(?:(poisson|uniform):)?(.+)$/.exec(raw) : null;
  const perSecond = parseRatePerSecond(match?.[2] ?? '');
  if (perSecond === undefined || perSecond < 0.01 || perSecond > 100_000) return undefined;
  return { process: match?.[1] === 'uniform' ? 'uniform' : 'poisson', perSecond };
}

/** `1m:1000,5m:5000,1m:0`: over one minute to 1,000, over five more to 5,000, over one to none. */
export function readStages(raw: unknown): readonly Stage[] | undefined {
  if (typeof raw !== 'string') return undefined;
  const stages = raw.split(',').map((text) => {
    const match = /^([^:]+):(\d+(?:\.\d+)?)$/.exec(text.trim());
    return { durationMs: parseDurationMs(match?.[1] ?? '') ?? 0, level: Number(match?.[2] ?? Number.NaN) };
  });
  const isProper = stages.every(({ durationMs, level }) => durationMs >= 100 && level >= 0 && level <= 1e6);
  return isProper && stages.some(({ level }) => level > 0) ? stages : undefined;
}

/** `day`, `week`, `day:3` (the peak is three times the mean), `day:3,10m` (and a day takes ten minutes). */
export function readCurve(raw: unknown): Curve | undefined {
  const match = typeof raw === 'string' ? /^(day|week)(?::(\d+(?:\.\d+)?))?(?:,(.+))?$/.exec(raw) : null;
  if (match === null) return undefined;
  const peak = Number(match[2] ?? 1.8);
  const dayMs = match[3] === undefined ? 86_400_000 : parseDurationMs(match[3]);
  if (!(peak > 1 && peak <= 20) || dayMs === undefined || dayMs < 1000) return undefined;
  return { shape: match[1] === 'week' ? 'week' : 'day', peak, dayMs };
}

/** `at=2m,x=5,for=10s`, several with `;` between. */
export function readSpikes(raw: unknown): readonly Spike[] | undefined {
  if (typeof raw !== 'string') return undefined;
  const spikes = raw.split(';').map((text) => {
    const match = /^at=([^,]+),x=(\d+(?:\.\d+)?),for=([^,]+)$/.exec(text.trim());
    return {
      atMs: parseDurationMs(match?.[1] ?? '') ?? -1,
      times: Number(match?.[2] ?? Number.NaN),
      forMs: parseDurationMs(match?.[3] ?? '') ?? 0,
    };
  });
  const isProper = ({ atMs, times, forMs }: Spike): boolean =>
    atMs >= 0 && times > 0 && times <= 1000 && forMs >= 1000;
  return spikes.every(isProper) ? spikes : undefined;
}

export interface LoadOptions {
  readonly visitors: number;
  readonly arrivals: Arrivals | undefined;
  readonly stages: readonly Stage[] | undefined;
  readonly curve: Curve | undefined;
  readonly spikes: readonly Spike[] | undefined;
  readonly warm: boolean;
  readonly rampPerSecond: number;
}

/**
 * Undefined: so many present as were asked for, gathered by the ramp.
 * @throws CrowdbeatError CB_OPTION for options that say different things
 */
export function loadPlanOf(options: LoadOptions): LoadPlan | undefined {
  const { visitors, arrivals, stages, curve, spikes, warm } = options;
  const refuse = (message: string): CrowdbeatError => new CrowdbeatError('CB_OPTION', message);
  if (stages !== undefined && arrivals !== undefined)
    throw refuse('--stages: says how many are present, which --arrivals leaves open: needs one of the two');
  if (stages !== undefined && curve !== undefined)
    throw refuse('--stages: says how many are present, and so does --curve: needs one of the two');
  if (stages !== undefined && warm)
    throw refuse('--warm: needs visitors at the start, --stages begin with none');
  if (arrivals !== undefined && warm)
    throw refuse('--warm: needs a number of visitors who are present, --arrivals leaves it open');
  if (arrivals === undefined && stages === undefined && curve === undefined && spikes === undefined)
    return undefined;
  return {
    model: arrivals?.process ?? 'present',
    base: arrivals?.perSecond ?? visitors,
    stages: stages ?? (arrivals === undefined ? rampOf(options) : []),
    curve,
    spikes: spikes ?? [],
  };
}

/** Who does not start warm has to arrive first. */
function rampOf({ visitors, rampPerSecond, warm }: LoadOptions): readonly Stage[] {
  return warm ? [] : [{ durationMs: Math.max(1, (visitors * 1000) / rampPerSecond), level: visitors }];
}

/** The load model's name and figures, for the result. */
export function describeLoad(options: LoadOptions): Record<string, unknown> {
  const { visitors, arrivals, stages, curve, spikes, warm, rampPerSecond } = options;
  const beside = { ...(curve && { curve }), ...(spikes && { spikes }) };
  if (arrivals !== undefined) return { model: 'arrivals', ...arrivals, ...beside };
  if (stages !== undefined) return { model: 'stages', stages, ...beside };
  const start = warm ? { start: 'warm' } : { start: 'ramp', rampPerSecond };
  return { model: curve === undefined ? 'present' : 'curve', visitors, ...start, ...beside };
}

/** The most visitors who will be present at a time, near enough to plan for. */
export function visitorsMaxOf(options: LoadOptions & { readonly crowd: CrowdConfig }): number {
  const { visitors, arrivals, stages, curve, spikes } = options;
  const { sessionMs } = expectedVisit(options.crowd.site);
  const base = arrivals === undefined ? visitors : (arrivals.perSecond * sessionMs) / 1000;
  const level = stages === undefined ? base : Math.max(...stages.map((stage) => stage.level));
  const spike = Math.max(1, ...(spikes ?? []).map((one) => one.times));
  return Math.ceil(level * (curve?.peak ?? 1) * spike);
}

/** For whoever starts a run: how many, and how they come. */
export function loadText(options: LoadOptions): string {
  const { visitors, arrivals, stages, curve, warm, rampPerSecond } = options;
  const along = curve === undefined ? '' : ` along a ${curve.shape}`;
  if (arrivals !== undefined) return `${arrivals.perSecond} visitors arrive a second${along}`;
  if (stages !== undefined) return `${stages.map(({ level }) => level).join(', ')} visitors, stage by stage`;
  if (warm) return `${visitors} visitors are there${along}`;
  return `${visitors} visitors arrive at ${rampPerSecond}/s${along}`;
}
