/** Figures and verdicts as people read them: the same words in the terminal, in Markdown and on the page. */
import type { Comparison, MetricResult } from '../compare/index.ts';

/** `812us`, `3.90ms`, `95.1us/op`, `88.3MiB`, `2000/s`, `40211`; `-` for what was not measured. */
export function valueText(value: number | null, unit: string): string {
  if (value === null) return '-';
  if (unit === 'us') return timeText(value);
  if (unit === 'us/op') return `${digits(value)}us/op`;
  if (unit === '1/s') return `${digits(value)}/s`;
  return unit === 'count' ? String(value) : `${digits(value)}${unit}`;
}

/** @param us microseconds */
function timeText(us: number): string {
  if (us < 1000) return `${digits(us)}us`;
  return us < 1e6 ? `${digits(us / 1000)}ms` : `${digits(us / 1e6)}s`;
}

/** Three digits, and never an exponent. */
function digits(value: number): string {
  const size = Math.abs(value);
  return value.toFixed(size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2);
}

/** `+11.6%` of the fraction 0.116. */
export function changeText(change: number | null): string {
  return change === null ? '-' : `${signed(change)}%`;
}

function signed(fraction: number): string {
  const text = (fraction * 100).toFixed(1);
  // A change that rounds to nothing has no direction.
  if (Number(text) === 0) return '0.0';
  return fraction > 0 ? `+${text}` : text;
}

/** `[+8.0, +15.1]%`; a bound that so few pairs don't have is `?`. */
export function intervalText({ lower, upper }: MetricResult['wide']): string {
  if (lower === null && upper === null) return '-';
  const bound = (value: number | null): string => (value === null ? '?' : signed(value));
  return `[${bound(lower)}, ${bound(upper)}]%`;
}

/** `99% CI`, from the one-sided alpha. */
export function confidenceText(alpha: number): string {
  return `${Number(((1 - 2 * alpha) * 100).toFixed(1))}% CI`;
}

export function shaText({ sha, dirty, buildHash }: Comparison['base']): string {
  const build = sha?.slice(0, 7) ?? buildHash?.replace(/^sha256:/, 'build ').slice(0, 13) ?? 'unknown build';
  return dirty === true ? `${build}+changes` : build;
}

/** The verdict of a metric, with what helps to go on: the confirmation, or what such a session can see. */
export function metricVerdict(metric: MetricResult): string {
  const { verdict, confirmation, reason } = metric;
  if (verdict === null) return 'advisory';
  if (confirmation?.confirmed === true) return `${verdict} (confirmed ${changeText(confirmation.change)})`;
  if (verdict === 'INCONCLUSIVE') return ['inconclusive', ...inconclusiveHelp(metric)].join('; ');
  if (verdict === 'INVALID') return `INVALID: ${reason ?? 'not measured'}`;
  return verdict === 'SAME' ? 'same' : verdict;
}

function inconclusiveHelp({ reason, detectable, pairsFor }: MetricResult): string[] {
  if (reason !== null) return [reason];
  return [
    ...(detectable === null ? [] : [`can see ${changeText(detectable)}`]),
    ...(pairsFor.pairs === null ? [] : [`${pairsFor.pairs} pairs for ${changeText(pairsFor.effect)}`]),
  ];
}

/** What a verdict means, in one sentence that says what to do. */
export const verdictMeaning: Readonly<Record<Comparison['verdict'], string>> = {
  SAME: 'No gated metric differs by more than its margin.',
  IMPROVED: 'At least one gated metric got better by more than its margin, in two sessions; none got worse.',
  REGRESSED: 'At least one gated metric got worse by more than its margin, and did so again where it had to.',
  INCONCLUSIVE:
    'No difference and one that matters look alike in so few pairs on this machine. This is neither a pass ' +
    'nor a regression; more pairs, asked for beforehand, help.',
  INVALID:
    'The measurement was disturbed or incomplete. Its figures say nothing; measure again on a quiet machine.',
  NOT_COMPARABLE: 'The two were not measured alike, so no figure is given.',
};
