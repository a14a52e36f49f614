/**
 * Whether a trial measured what it was to measure. Guards look at the generator, the machine and the books,
 * never at how fast the server was: a trial is thrown out for being disturbed, not for what it found, and its
 * pair goes with it whichever arm that helps.
 */
import type { Session, Trial } from '../record/index.ts';

export const guardLimits = {
  deliveredShareMin: 0.99,
  completedShareMin: 0.99,
  errorShareMax: 0.001,
  sendLagUsMin: 1000,
  sendLagOfServiceMax: 0.05,
  eluMax: 0.7,
  loopDelayUsMax: 2000,
  ceilingShareMax: 0.5,
  blockedShareMax: 0.01,
  stealPctMax: 5,
  littleErrorMax: 0.05,
} as const;

/** Why a trial can't be used, in words that name the rule and the figure; empty if it can. */
export function guardReasons(trial: Trial, session: Session): string[] {
  return [
    ...loadReasons(trial),
    ...generatorReasons(trial, session.plan.generatorCeilingPerSec),
    ...hostReasons(trial),
    ...booksReasons(trial),
    ...buildReasons(trial, session),
  ];
}

function loadReasons({ rate }: Trial): string[] {
  const { offered, sent, completed, errors, timeouts, unsent } = rate;
  const { deliveredShareMin, completedShareMin, errorShareMax } = guardLimits;
  return [
    ...unless(
      sent >= offered * deliveredShareMin,
      `load: ${sent} of ${offered} sent, at least ${percent(deliveredShareMin)} must be`,
    ),
    ...unless(unsent === 0, `load: ${unsent} never sent, none may be`),
    ...unless(
      completed >= sent * completedShareMin && completed <= sent,
      `load: ${completed} of ${sent} completed, at least ${percent(completedShareMin)} must be`,
    ),
    ...unless(
      errors + timeouts <= sent * errorShareMax,
      `load: ${errors} errors and ${timeouts} timeouts of ${sent}, at most ${percent(errorShareMax)} may be`,
    ),
    ...unless(sent > 0, 'load: nothing was sent'),
  ];
}

function generatorReasons(trial: Trial, ceilingPerSec: number | null): string[] {
  const { sendLag, elu, loopDelayP99Us, blockedShare } = trial.generator;
  const limits = guardLimits;
  const lagUs = sendLag.p99 ?? sendLag.max;
  const medians = Object.values(trial.ops).flatMap(({ service }) =>
    service.p50 === null ? [] : [service.p50],
  );
  const lagUsMax = Math.max(limits.sendLagUsMin, limits.sendLagOfServiceMax * Math.min(...medians, 60e6));
  const perSec = trial.measureS === 0 ? 0 : trial.rate.offered / trial.measureS;
  const ceiling = ceilingPerSec ?? Number.POSITIVE_INFINITY;
  return [
    ...unless(
      lagUs <= lagUsMax,
      `generator: send lag p99 ${Math.round(lagUs)} us, at most ${Math.round(lagUsMax)}`,
    ),
    ...unless(
      elu <= limits.eluMax,
      `generator: event loop busy ${percent(elu)}, at most ${percent(limits.eluMax)}`,
    ),
    ...unless(
      loopDelayP99Us <= limits.loopDelayUsMax,
      `generator: loop delay p99 ${Math.round(loopDelayP99Us)} us, at most ${limits.loopDelayUsMax}`,
    ),
    ...unless(
      perSec <= ceiling * limits.ceilingShareMax,
      `generator: ${Math.round(perSec)}/s is more than ${percent(limits.ceilingShareMax)} of what it can do (${Math.round(ceiling)}/s)`,
    ),
    ...unless(
      blockedShare <= limits.blockedShareMax,
      `generator: ${percent(blockedShare)} of the time waiting for a connection, at most ${percent(limits.blockedShareMax)}`,
    ),
  ];
}

function hostReasons({ host }: Trial): string[] {
  const { stealPctMax } = guardLimits;
  return [
    ...unless(
      (host.stealPct ?? 0) <= stealPctMax,
      `host: ${host.stealPct?.toFixed(1)} % of CPU time stolen, at most ${stealPctMax} %`,
    ),
    ...unless((host.throttled ?? 0) === 0, `host: throttled ${host.throttled} times, never is allowed`),
    ...unless((host.swapIn ?? 0) === 0, `host: ${host.swapIn} pages came back from swap, none may`),
  ];
}

function booksReasons({ little }: Trial): string[] {
  const { littleErrorMax } = guardLimits;
  if (little === null || little.relErr <= littleErrorMax) return [];
  return [
    `books: ${little.L.toFixed(2)} in flight but rate times service time is ${little.lambdaW.toFixed(2)}, ` +
      `${percent(little.relErr)} apart, at most ${percent(littleErrorMax)}`,
  ];
}

function buildReasons({ arm, buildHash }: Trial, { arms }: Session): string[] {
  const planned = arms[arm]?.buildHash ?? null;
  if (planned === null || buildHash === null || planned === buildHash) return [];
  return [`build: the server of arm ${arm} runs ${buildHash}, planned was ${planned}`];
}

function unless(kept: boolean, reason: string): string[] {
  return kept ? [] : [reason];
}

function percent(part: number): string {
  return `${Number((part * 100).toFixed(1))} %`;
}
