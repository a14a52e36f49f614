/**
 * What a run under a fault must look like, checked without trusting its audit: the collector is asked again,
 * and an audit that is content while something is missing is the worst finding of all. Whether the generator
 * kept up is not judged here: that is a matter of the machine, and measuring again helps. Pure.
 */

import { exitCodes } from '../../server/base/exit-codes.ts';
import type { TotalsReply } from '../../server/protocol/replies.ts';
import type { RunResult } from '../../sim/run/index.ts';
import type { CrowdEnd } from './crowd-child.ts';
import type { Fault, Scale } from './fault.ts';

/** The share of an outage that the slowest response must show at least. */
const shownShare = 0.8;

/** What is not as expected, in words; empty if all is. `totals`: of a property that the run alone wrote to. */
export function judge(
  fault: Pick<Fault, 'expects' | 'outageMs'>,
  scale: Scale,
  end: CrowdEnd,
  totals: TotalsReply | undefined,
): string[] {
  const { code, result } = end;
  if (result === undefined) return [`no result, exit code ${code}: ${end.output.trim().slice(-600)}`];
  const problems = outageProblems(fault, scale, result);
  switch (fault.expects) {
    case 'exact':
      return [...problems, ...ledgerProblems(result), ...exactProblems(result, code, totals)];
    case 'named':
      return [...problems, ...ledgerProblems(result), ...namedProblems(result, code, totals)];
    case 'loss':
      return [
        ...problems,
        ...ledgerProblems(result),
        ...namedProblems(result, code, totals),
        ...lossProblems(result, totals),
      ];
    case 'emptied':
      return [...problems, ...ledgerProblems(result), ...mismatchProblems(result, code)];
    default:
      return [...goneProblems(result, code, scale), ...mismatchProblems(result, code)];
  }
}

function outageProblems(fault: Pick<Fault, 'outageMs'>, scale: Scale, { latencyMs }: RunResult): string[] {
  const leastMs = fault.outageMs(scale) * shownShare;
  const shownMs = latencyMs.response.max;
  if (shownMs >= leastMs) return [];
  return [`response max was ${Math.round(shownMs)} ms and hides an outage of ${fault.outageMs(scale)} ms`];
}

/** Every visitor got through in the end. */
function ledgerProblems({ events, end }: RunResult): string[] {
  const problems = end === 'ended' ? [] : [`the run ${end}`];
  const { planned, acked, rejected, failed, dropped, unknown } = events;
  if (acked !== planned) {
    const rest = `${rejected} rejected, ${failed} failed, ${dropped} dropped, ${unknown} unknown`;
    problems.push(`${acked} of ${planned} events acknowledged: ${rest}`);
  }
  return problems;
}

function exactProblems(result: RunResult, code: number | null, totals: TotalsReply | undefined): string[] {
  const problems: string[] = [];
  if (result.audit?.ok !== true) problems.push(`audit: ${(result.audit?.reasons ?? []).join('; ')}`);
  if (code !== exitCodes.ok) problems.push(`exit code ${code} in place of 0`);
  const missing = missingOf(result, totals);
  if (missing !== 0) problems.push(`${missing} documents are missing`);
  return problems;
}

function namedProblems(result: RunResult, code: number | null, totals: TotalsReply | undefined): string[] {
  if (missingOf(result, totals) === 0) return exactProblems(result, code, totals);
  const reasons = result.audit?.reasons ?? [];
  const unnamed = Object.entries(result.events.byType).flatMap(([type, { acked }]) => {
    const stored = totals?.byType[type] ?? 0;
    const name = `events ${type}: ${stored} counted, ${acked} expected (${acked - stored} missing)`;
    return stored === acked || reasons.includes(name) ? [] : [`the audit does not say "${name}"`];
  });
  const extra = reasons.filter((reason) => reason.includes('too many'));
  return [...mismatchProblems(result, code), ...unnamed, ...extra];
}

/** A loss of whole visits must be named by its minute, too. */
function lossProblems(result: RunResult, totals: TotalsReply | undefined): string[] {
  if (missingOf(result, totals) === 0) return ['nothing was lost: the fault did not work'];
  const reasons = result.audit?.reasons ?? [];
  const byMinute = /^visitors \w+ \d{4}(?:-\d\d){4}: \d+ counted, \d+ expected \(\d+ missing\)$/;
  return reasons.some((reason) => byMinute.test(reason)) ? [] : ['the audit names no minute'];
}

function mismatchProblems({ audit }: RunResult, code: number | null): string[] {
  const problems: string[] = [];
  if (audit === null || audit.ok) problems.push('the audit is content though data are missing');
  if (code !== exitCodes.auditMismatch)
    problems.push(`exit code ${code} in place of ${exitCodes.auditMismatch}`);
  return problems;
}

/** Beside its patience a run takes its time until the fault, and a moment for the audit's questions. */
function goneProblems(result: RunResult, code: number | null, scale: Scale): string[] {
  const problems = result.end === 'gave up' ? [] : [`the run ${result.end} (exit code ${code})`];
  const mostMs = scale.afterMs + scale.giveUpMs + 5000;
  if (result.durationMs > mostMs) problems.push(`gave up after ${result.durationMs} ms, more than ${mostMs}`);
  if (!result.notes.some((note) => note.startsWith('gave up: '))) problems.push('no note says why it ended');
  return problems;
}

function missingOf({ events }: RunResult, totals: TotalsReply | undefined): number {
  return events.acked - (totals?.documents ?? 0);
}
