/** Answers questions about visitors: looks up the names it needs, plans, has the plan executed, makes the reply. */
import type { Clock } from '../../base/clock.ts';
import type { PropertyName } from '../../protocol/property.ts';
import type { ErrorReply } from '../../protocol/replies.ts';
import type { RedisConnection } from '../../store/connection.ts';
import { PropertyKeys } from '../../store/keys.ts';
import type { Retention } from '../../store/retention.ts';
import { executePlan } from '../../store/visitor-execute.ts';
import {
  type NameKind,
  type RegisteredNames,
  readRegisteredNames,
  readUnknownNames,
} from '../../store/visitor-names.ts';
import { type QueryWays, VisitorScripts } from '../../store/visitor-scripts.ts';
import { ExpiredError, ExpressionPlanner, PlanError } from './expressions.ts';
import { namesNeeded } from './names-needed.ts';
import { planQuestion } from './plan.ts';
import { questionLimits, type VisitorQuestion } from './question.ts';

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
  const names = await readNames(question, connection, keys);
  if ('status' in names) return names;
  const { events, sources } = names;
  const planner = new ExpressionPlanner(keys, retention, clock.wallMs(), {
    eventKeyNames: events.names.map(({ keyName }) => keyName),
    keyNamesOfSource: names.keyNamesOfSource,
  });
  try {
    const { plan, reply } = planQuestion(question, planner, { events: events.names, sources: sources.names });
    const [result, unknown] = await Promise.all([
      executePlan(scripts, keys, plan),
      readUnknownNames(connection, keys, [...planner.names.keys()]),
    ]);
    const nobodys = [
      ...unknown.map((keyName) => planner.names.get(keyName)).map(leafReply),
      ...[...planner.unknownSources].map((source) => ({ source, anyCampaign: true })),
    ];
    const isPartial = question.ask.kind === 'top' && (events.isPartial || sources.isPartial);
    return {
      range: rangeReply(question),
      ...reply(result),
      ...(nobodys.length > 0 && { unknown: nobodys }),
      ...(isPartial && { partial: true }),
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

interface QuestionNames {
  readonly events: RegisteredNames;
  readonly sources: RegisteredNames;
  readonly keyNamesOfSource: ReadonlyMap<string, readonly string[]>;
}

/** What the question has to know of the property's names; refused if there are too many of what may not be left out. */
async function readNames(
  question: VisitorQuestion,
  connection: RedisConnection,
  keys: PropertyKeys,
): Promise<QuestionNames | ErrorReply> {
  const needed = namesNeeded(question);
  const read = (kind: NameKind) => readRegisteredNames(connection, keys, kind, questionLimits.namesMax);
  const nothing: RegisteredNames = { names: [], isPartial: false };
  const [events, sources, ...ofSources] = await Promise.all([
    needed.events ? read('events') : nothing,
    needed.sources ? read('sources') : nothing,
    ...[...needed.campaignsOf].map((source) => read({ source })),
  ]);
  if (events.isPartial && needed.everyEvent) return tooManyNames('event types', 'anyEvent');
  if (ofSources.some(({ isPartial }) => isPartial))
    return tooManyNames('campaigns of a source', 'anyCampaign');
  const keyNamesOfSource = new Map(
    [...needed.campaignsOf].map((source, i) => [
      source,
      (ofSources[i] ?? nothing).names.map(({ keyName }) => keyName),
    ]),
  );
  return { events, sources, keyNamesOfSource };
}

function tooManyNames(what: string, member: string): ErrorReply {
  const message = `the property has more than ${questionLimits.namesMax} ${what}: ${member} can't be answered`;
  return { status: 400, code: 'too_many_names', message };
}
