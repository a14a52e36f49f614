/** Exit codes of every crowdbeat command. The table for people is docs/exit-codes.md. */
export const exitCodes = {
  ok: 0,
  error: 1,
  regressed: 20,
  sloFailed: 21,
  inconclusive: 22,
  auditMismatch: 23,
  invalid: 30,
  notComparable: 31,
  interruptedTwice: 130,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** Which code wins when several are earned at once, strongest first. */
const precedence: readonly ExitCode[] = [1, 23, 21, 20, 30, 22];

/** The one code to exit with: 1 > 23 > 21 > 20 > 30 > 22, otherwise the first earned, otherwise 0. */
export function strongestExitCode(earned: readonly ExitCode[]): ExitCode {
  for (const code of precedence) if (earned.includes(code)) return code;
  return earned.find((code) => code !== 0) ?? 0;
}
