/**
 * Was the generator good enough for its figures to mean anything?
 *
 * Only what the generator itself did wrong counts. Waiting for the target (`blocked`) never invalidates:
 * that is the target's slowness, and the response time carries it.
 */
import type { LatencySummary } from '../measure/index.ts';
import type { HealthSummary } from './run-monitor.ts';

export const validityLimits = {
  /** Send lateness, p99 after the ramp, ms: twenty times what an idle loop shows, a tenth of what people notice. */
  latenessP99MsMax: 10,
  /** Busiest worker's event-loop utilisation, mean after the ramp: beyond, queueing in the loop shows as latency. */
  utilisationMax: 0.85,
} as const;

export interface Verdict {
  readonly valid: boolean;
  readonly reasons: readonly string[];
}

export interface VerdictInput {
  readonly lateness: LatencySummary | undefined;
  readonly health: HealthSummary;
  readonly dropped: number;
}

export function judgeGenerator({ lateness, health, dropped }: VerdictInput): Verdict {
  const reasons: string[] = [];
  const { latenessP99MsMax, utilisationMax } = validityLimits;
  if (lateness === undefined) reasons.push('no event was sent: there is nothing to judge');
  else if (lateness.p99 > latenessP99MsMax) {
    reasons.push(`send lateness p99 was ${lateness.p99.toFixed(1)} ms, more than ${latenessP99MsMax} ms`);
  }
  if (health.utilisation > utilisationMax) {
    reasons.push(
      `a worker's event loop was busy ${percent(health.utilisation)} of the time, more than ${percent(utilisationMax)}`,
    );
  }
  if (dropped > 0) reasons.push(`${dropped} planned events were dropped by the generator`);
  return { valid: reasons.length === 0, reasons };
}

const percent = (share: number): string => `${Math.round(share * 100)} %`;
