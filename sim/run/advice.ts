/** What a reader of a run should try next, where the figures say it. */
import { formatLatencyMs } from '../../server/base/units.ts';
import type { LatencySummary } from '../measure/index.ts';

/** Below this nobody notices, whatever the proportion. */
const blockedP50MsMin = 10;

/**
 * Visitors who wait longer for a connection than for the answer: either the connections are too few, or the
 * target is full. The figures alone can't tell which; trying can.
 */
export function connectionAdvice(
  blocked: LatencySummary | undefined,
  service: LatencySummary | undefined,
  connections: number,
): string | undefined {
  if (blocked === undefined || service === undefined) return undefined;
  if (blocked.p50 < blockedP50MsMin || blocked.p50 < service.p50) return undefined;
  const waits = `half of the events waited ${formatLatencyMs(blocked.p50)} or more to be sent`;
  const times = `${waits}, answers took ${formatLatencyMs(service.p50)}`;
  return `${times}: try more --connections than ${connections}; if that changes nothing, the target is full`;
}
