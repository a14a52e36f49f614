/** One line for each run: what was done, what came of it. */
import { formatCount, formatLatencyMs } from '../../server/base/units.ts';
import type { RunResult } from '../../sim/run/index.ts';

export interface Finding {
  readonly name: string;
  readonly does: string;
  readonly result: RunResult | undefined;
  /** What is not as expected. A generator that did not keep up is not among it: see `isInvalid`. */
  readonly problems: readonly string[];
}

/** The generator did not keep up: the machine had too much else to do, and the run proves less than it should. */
export function isInvalid({ result }: Finding): boolean {
  return result !== undefined && !result.generator.valid;
}

export function findingLines({ name, does, result, problems }: Finding): string[] {
  const verdict = problems.length === 0 ? 'as expected' : 'NOT AS EXPECTED';
  const figures = result === undefined ? ['no result'] : figuresOf(result);
  return [
    `${name}  ${[does, ...figures, verdict].join(' | ')}`,
    ...problems.map((problem) => `   PROBLEM ${problem}`),
  ];
}

function figuresOf({ events, errors, latencyMs, generator, audit, end }: RunResult): string[] {
  const again = Object.values(errors).reduce((sum, count) => sum + count, 0);
  const { p99, max } = latencyMs.response;
  return [
    `${formatCount(events.acked)} of ${formatCount(events.planned)} events, ${formatCount(again)} attempts repeated`,
    `response p99 ${formatLatencyMs(p99)}, max ${formatLatencyMs(max)}, blocked max ${formatLatencyMs(latencyMs.blocked.max)}`,
    `${end}, ${generator.valid ? 'valid' : `INVALID (${generator.reasons.join('; ')})`}`,
    audit?.ok === true ? 'audit ok' : `audit: ${lossText(audit?.reasons ?? [])}`,
  ];
}

function lossText(reasons: readonly string[]): string {
  const [first = 'not asked for', ...more] = reasons;
  return more.length === 0 ? first : `${first}, and ${more.length} more`;
}
