/** Answers questions about visitors: looks up the names it needs, plans, has the plan executed, makes the reply. */
import type { Clock } from '../../base/clock.ts';
import type { PropertyName } from '../../protocol/property.ts';
import type { ErrorReply } from '../../protocol/replies.ts';
import type { RedisConnection } from '../../store/connection.ts';
import { PropertyKeys } from '../../store/keys.ts';
import type { Retention } from '../../store/retention.ts';
import { executePlan } from '../../store/visitor-execute.ts';
import { type RegisteredNames, readRegisteredNames, readUnknownNames } from '../../store/visitor-names.ts';
import { type QueryWays, VisitorScripts } from '../../store/visitor-scripts.ts';
import { ExpiredError, ExpressionPlanner, PlanError } from './expressions.ts';
import { planQuestion } from './plan.ts';
import { type Expression, questionLimits, type VisitorQuestion } from './question.ts';

export interface AnswerContext {
  readonly connection: RedisConnection;
  readonly property: PropertyName;
  readonly retention: Retention;
  readonly clock: Clock;
  /** Aborted when nobody waits for the answer any more. */
  readonly signal?: AbortSignal | undefined;
  /** What one script may cost Redis; see VisitorScripts. */
  readonly scriptBudgetUs?: number | undefined;
  /** For tests; see VisitorScripts. */
  readonly ways?: QueryWays | undefined;
}

/**
 * The reply: `range`, what was asked for, `unknown` if names of the question are unknown (nobody has them), `partial`
 * if there are more names than are looked at; or `expired` with the first bucket that is no longer kept.
 * Throws CB_QUERY_TIMEOUT, CB_QUERY_CANCELLED, and what a connection throws.
 */
export async function answerVisitorQuestion(
  question: VisitorQuestion,
  { connection, property, retention, clock, signal, scriptBudgetUs, ways }: AnswerContext,
): Promise<object | ErrorReply> {
  const keys = new PropertyKeys(property);
  const scripts = new VisitorScripts(connection, {
    clock,
    timeoutMs: question.timeoutMs,
    signal,
    scriptBudgetUs,
    ways,
  });
  const { ask } = question;
  const read = (kind: 'events' | 'sources', isNeeded: boolean): Promise<RegisteredNames> =>
    isNeeded
      ? readRegisteredNames(connection, keys, kind, questionLimits.namesMax)
      : Promise.resolve({ names: [], isPartial: false });
  const [events, sources] = await Promise.all([
    read('events', needsEvents(question)),
    read('sources', (ask.kind === 'top' && ask.what === 'sources') || isOpenAttribution(question)),
  ]);
  const isTop = ask.kind === 'top';
  // A top list may leave names out and say so; a union of all events may not.
  if (events.isPartial && !(isTop && ask.what === 'events' && !asksAnyEvent(ask.among))) {
    const message = `the property has more than ${questionLimits.namesMax} event types: anyEvent can't be answered`;
    return { status: 400, code: 'too_many_names', message };
  }
  const eventKeyNames = events.names.map(({ keyName }) => keyName);
  const planner = new ExpressionPlanner(keys, retention, clock.wallMs(), eventKeyNames);
  try {
    const { plan, reply } = planQuestion(question, planner, { events: events.names, sources: sources.names });
    const [result, unknown] = await Promise.all([
      executePlan(scripts, keys, plan),
      readUnknownNames(connection, keys, [...planner.names.keys()]),
    ]);
    return {
      range: rangeReply(question),
      ...reply(result),
      ...(unknown.length > 0 && {
        unknown: unknown.map((keyName) => planner.names.get(keyName)).map(leafReply),
      }),
      ...(isTop && (events.isPartial || sources.isPartial) && { partial: true }),
    };
  } catch (thrown) {
    if (thrown instanceof PlanError) return thrown.reply;
    if (!(thrown instanceof ExpiredError)) throw thrown;
    const { name, granularity } = thrown.bucket;
    return { range: rangeReply(question), expired: true, bucket: name, granularity };
  }
}

const rangeReply = ({ range }: VisitorQuestion) => ({
  from: new Date(range.fromMs).toISOString(),
  to: new Date(range.toMs).toISOString(),
});

function leafReply(leaf: object | undefined): object {
  const { event, source, campaign } = leaf as { event?: string; source?: string; campaign?: string };
  if (event !== undefined) return { event };
  return campaign === undefined ? { source } : { source, campaign };
}

const isOpenAttribution = ({ ask }: VisitorQuestion): boolean =>
  ask.kind === 'attribution' && ask.sources === undefined;

function needsEvents({ ask }: VisitorQuestion): boolean {
  switch (ask.kind) {
    case 'newReturning':
      return true;
    case 'top':
      return ask.what === 'events' || asksAnyEvent(ask.among);
    case 'uniques':
    case 'series':
    case 'stickiness':
      return asksAnyEvent(ask.of);
    case 'funnel':
      return ask.steps.some(asksAnyEvent);
    case 'retention':
      return asksAnyEvent(ask.cohort) || asksAnyEvent(ask.returning);
    default:
      return false;
  }
}

function asksAnyEvent(expression: Expression | undefined): boolean {
  if (expression === undefined) return false;
  if ('and' in expression) return expression.and.some(asksAnyEvent);
  if ('or' in expression) return expression.or.some(asksAnyEvent);
  if ('minus' in expression) return expression.minus.some(asksAnyEvent);
  return 'not' in expression ? asksAnyEvent(expression.not) : 'anyEvent' in expression;
}
