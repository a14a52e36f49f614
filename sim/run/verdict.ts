/**
 * Was the generator good enough for its figures to mean anything?
 *
 * Only what the generator and its machine did wrong counts. Waiting for the target (`blocked`) never invalidates: that
 * is the target's slowness, and the response time carries it. docs/validity.md has each limit with its source.
 */
import { formatDuration } from '../../server/base/units.ts';
import type { LatencySummary } from '../measure/index.ts';
import type { LittleSummary } from './littles-law.ts';
import type { MachineSummary } from './machine-counters.ts';
import type { HealthSummary } from './run-monitor.ts';

export const validityLimits = {
  /** Send lateness, p99 after the ramp, ms: twenty times what an idle loop shows, a tenth of what people notice. */
  latenessP99MsMax: 10,
  /** Busiest worker's event-loop utilisation, mean after the ramp: beyond, queueing in the loop shows as latency. */
  utilisationMax: 0.85,
  /** Event-loop delay p99 of a second, exceeded by the worst tenth of the seconds after the ramp, ms. */
  loopDelayMsMax: 50,
  /** Of all CPU time: other guests of the host took it. */
  stealShareMax: 0.05,
  /** Of the run's time: the control group waited for its quota. */
  throttledShareMax: 0.01,
  /** Of the visitor-time planned in a window. */
  littleShareMax: 0.05,
  /** Between two seconds. */
  clockJumpMsMax: 500,
  /** Of what the load client reached against a null server, where `crowdbeat doctor` measured that. */
  ceilingShareMax: 0.8,
} as const;

/** One rule and what was found; the value is null where it could not be read, and then proves nothing. */
export interface ValidityRule {
  readonly rule: keyof typeof validityLimits | 'dropped' | 'sent';
  readonly value: number | null;
  readonly limit: number;
  readonly ok: boolean;
}

export interface Verdict {
  readonly valid: boolean;
  readonly reasons: readonly string[];
  readonly rules: readonly ValidityRule[];
}

export interface VerdictInput {
  readonly lateness: LatencySummary | undefined;
  readonly health: HealthSummary;
  readonly dropped: number;
  readonly machine?: MachineSummary | undefined;
  readonly little?: LittleSummary | undefined;
  /** Events a second of the run by those of the load client against a null server; undefined: never measured. */
  readonly ceilingShare?: number | undefined;
}

export function judgeGenerator(input: VerdictInput): Verdict {
  const judged = rulesFor(input);
  const broken = judged.filter(({ ok }) => !ok);
  return {
    valid: broken.length === 0,
    reasons: broken.map(({ words }) => words),
    rules: judged.map(({ rule, value, limit, ok }) => ({ rule, value, limit, ok })),
  };
}

type Judged = ValidityRule & { readonly words: string };

function rulesFor({ lateness, health, dropped, machine, little, ceilingShare }: VerdictInput): Judged[] {
  const limits = validityLimits;
  const upTo = (
    rule: keyof typeof validityLimits,
    value: number | null | undefined,
    words: (value: number, limit: number) => string,
  ): Judged => {
    const limit = limits[rule];
    const ok = value === null || value === undefined || value <= limit;
    return { rule, value: value ?? null, limit, ok, words: words(value ?? 0, limit) };
  };
  const sent = lateness?.count ?? 0;
  return [
    {
      rule: 'sent',
      value: sent,
      limit: 1,
      ok: sent > 0,
      words: 'no event was sent: there is nothing to judge',
    },
    upTo(
      'latenessP99MsMax',
      lateness?.p99,
      (ms, limit) => `send lateness p99 was ${ms.toFixed(1)} ms, more than ${limit} ms`,
    ),
    upTo(
      'utilisationMax',
      health.utilisation,
      (share, limit) =>
        `a worker's event loop was busy ${percent(share)} of the time, more than ${percent(limit)}`,
    ),
    upTo(
      'loopDelayMsMax',
      health.loopDelayMs,
      (ms, limit) =>
        `a worker's event loop was ${ms.toFixed(0)} ms late in its worst seconds, more than ${limit} ms`,
    ),
    {
      rule: 'dropped',
      value: dropped,
      limit: 0,
      ok: dropped <= 0,
      words: `${dropped} planned events were dropped by the generator`,
    },
    upTo(
      'stealShareMax',
      machine?.stealShare,
      (share, limit) =>
        `other guests of the host took ${percent(share)} of the CPU time, more than ${percent(limit)}`,
    ),
    upTo(
      'throttledShareMax',
      machine?.throttledShare,
      (share, limit) =>
        `the control group waited for its CPU quota ${percent(share)} of the time, more than ${percent(limit)}`,
    ),
    upTo(
      'littleShareMax',
      little === undefined || little.windows === 0 ? null : little.worstShare,
      (share, limit) =>
        `visitors present were ${percent(share)} off arrival rate x mean stay (Little's law), more than ${percent(limit)}`,
    ),
    upTo(
      'clockJumpMsMax',
      machine?.clockJumpMsMax,
      (ms, limit) => `the wall clock jumped by ${formatDuration(ms)}, more than ${limit} ms`,
    ),
    upTo(
      'ceilingShareMax',
      ceilingShare,
      (share, limit) =>
        `the load was ${percent(share)} of what this machine's client reaches against a null server, more than ${percent(limit)}`,
    ),
  ];
}

const percent = (share: number): string => `${Math.round(share * 100)} %`;

/** What is wrong in this second, in a few words each, for whoever watches. */
export function alarmsOf(second: {
  readonly latenessP99Ms: number;
  readonly utilisation: number;
  readonly machine: MachineSummary;
}): string[] {
  const { latenessP99Ms, utilisation, machine } = second;
  const limits = validityLimits;
  const alarms: string[] = [];
  if (latenessP99Ms > limits.latenessP99MsMax) alarms.push('late');
  if (utilisation > limits.utilisationMax) alarms.push('loop full');
  if ((machine.stealShare ?? 0) > limits.stealShareMax)
    alarms.push(`${percent(machine.stealShare ?? 0)} CPU stolen`);
  if ((machine.throttledShare ?? 0) > limits.throttledShareMax) alarms.push('CPU throttled');
  if (machine.clockJumpMsMax > limits.clockJumpMsMax)
    alarms.push(`clock jumped ${formatDuration(machine.clockJumpMsMax)}`);
  return alarms;
}
