/** From a verdict to the code that a program ends with. */
import { type ExitCode, exitCodes } from '../../server/base/exit-codes.ts';
import type { Comparison } from './comparison.ts';

/** off: figures only. regressed: a confirmed regression fails. strict: an inconclusive one fails, too. */
export const gates = ['off', 'regressed', 'strict'] as const;

export type Gate = (typeof gates)[number];

/**
 * An invalid measurement is 30 with every gate, and what can't be compared is 31: a build must not pass because
 * nothing was measured.
 */
export function comparisonExitCode({ verdict }: Pick<Comparison, 'verdict'>, gate: Gate): ExitCode {
  if (verdict === 'INVALID') return exitCodes.invalid;
  if (verdict === 'NOT_COMPARABLE') return exitCodes.notComparable;
  if (verdict === 'REGRESSED' && gate !== 'off') return exitCodes.regressed;
  if (verdict === 'INCONCLUSIVE' && gate === 'strict') return exitCodes.inconclusive;
  return exitCodes.ok;
}
