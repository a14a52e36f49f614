/** Reads the body of `POST /visitors/query`: a range, and exactly one thing that is asked. */
import { granularities } from '../../base/time-bucket.ts';
import type { ErrorReply } from '../../protocol/replies.ts';
import { type Ask, type OneName, questionLimits, type TimeRange, type VisitorQuestion } from './question.ts';
import { ExpressionReader } from './read-expression.ts';
import {
  asArray,
  asObject,
  type Members,
  nameMembers,
  onlyKnown,
  QuestionError,
  rangeMembers,
  readChoice,
  readNamed,
  readRange,
  readTime,
  readWhole,
  refuse,
} from './read-values.ts';

type ReadAsk = (value: unknown, expressions: ExpressionReader, range: TimeRange) => Ask;

const readers: Readonly<Record<string, ReadAsk>> = {
  uniques: (value, expressions) => ({ kind: 'uniques', of: expressions.read(value, 'uniques') }),
  series: readSeries,
  top: readTop,
  funnel: readFunnel,
  retention: readRetention,
  attribution: readAttribution,
  newReturning: (value, expressions) => ({
    kind: 'newReturning',
    of: value === true ? { anyEvent: true, range: undefined } : expressions.read(value, 'newReturning'),
  }),
  stickiness: (value, expressions) => ({
    kind: 'stickiness',
    of: value === true ? { anyEvent: true, range: undefined } : expressions.read(value, 'stickiness'),
  }),
  concurrent: readConcurrent,
};

/** @param body the parsed JSON  @param nowMs epoch ms */
export function readVisitorQuestion(body: unknown, nowMs: number): VisitorQuestion | ErrorReply {
  try {
    return readQuestion(asObject(body, 'question'), nowMs);
  } catch (thrown) {
    if (thrown instanceof QuestionError) return thrown.reply;
    throw thrown;
  }
}

function readQuestion(members: Members, nowMs: number): VisitorQuestion {
  const asks = Object.keys(readers);
  onlyKnown(members, [...rangeMembers, 'timeoutMs', ...asks], 'question');
  const asked = asks.filter((name) => members[name] !== undefined);
  const [name] = asked;
  if (name === undefined || asked.length > 1)
    return refuse('question', `needs exactly one of ${asks.join(', ')}`, asked);
  const range = readRange(members, 'question', nowMs);
  if (range === undefined) return refuse('question', 'needs from and to, or bucket', undefined);
  const { timeoutMs = questionLimits.timeoutMsDefault } = members as { timeoutMs?: unknown };
  return {
    range,
    timeoutMs: readWhole(timeoutMs, 'timeoutMs', 1, questionLimits.timeoutMsMax),
    ask: (readers[name] as ReadAsk)(members[name], new ExpressionReader(nowMs), range),
  };
}

function readSeries(value: unknown, expressions: ExpressionReader): Ask {
  const members = asObject(value, 'series');
  onlyKnown(members, ['of', 'by'], 'series');
  const by = readChoice(members['by'], 'series.by', granularities);
  return { kind: 'series', of: expressions.read(members['of'], 'series.of'), by };
}

function readTop(value: unknown, expressions: ExpressionReader): Ask {
  const members = asObject(value, 'top');
  onlyKnown(members, ['of', 'limit', 'among'], 'top');
  const { limit = 10, among } = members as { limit?: unknown; among?: unknown };
  return {
    kind: 'top',
    what: readChoice(members['of'], 'top.of', ['events', 'sources']),
    limit: readWhole(limit, 'top.limit', 1, questionLimits.topMax),
    among: among === undefined ? undefined : expressions.read(among, 'top.among'),
  };
}

function readFunnel(value: unknown, expressions: ExpressionReader): Ask {
  const members = asObject(value, 'funnel');
  onlyKnown(members, ['steps', 'ordered', 'windowMinutes'], 'funnel');
  const steps = asArray(members['steps'], 'funnel.steps');
  if (steps.length < 1 || steps.length > questionLimits.stepsMax)
    refuse('funnel.steps', `needs 1 to ${questionLimits.stepsMax} steps`, steps.length);
  const { ordered = false, windowMinutes } = members as { ordered?: unknown; windowMinutes?: unknown };
  if (typeof ordered !== 'boolean') return refuse('funnel.ordered', 'needs true or false', ordered);
  if (!ordered) {
    if (windowMinutes !== undefined)
      refuse('funnel.windowMinutes', 'belongs to an ordered funnel', windowMinutes);
    const read = steps.map((step, i) => expressions.read(step, `funnel.steps[${i}]`));
    return { kind: 'funnel', steps: read };
  }
  return {
    kind: 'orderedFunnel',
    steps: steps.map((step, i) => expressions.readNames(step, `funnel.steps[${i}]`)),
    windowMinutes:
      windowMinutes === undefined
        ? undefined
        : readWhole(windowMinutes, 'funnel.windowMinutes', 0, 60 * 24 * 366),
  };
}

function readRetention(value: unknown, expressions: ExpressionReader): Ask {
  const members = asObject(value, 'retention');
  onlyKnown(members, ['cohort', 'returning', 'by', 'columns'], 'retention');
  const cohort = expressions.read(members['cohort'], 'retention.cohort');
  const { returning } = members as { returning?: unknown };
  return {
    kind: 'retention',
    cohort,
    returning: returning === undefined ? cohort : expressions.read(returning, 'retention.returning'),
    by: readChoice(members['by'], 'retention.by', ['day', 'week', 'month']),
    columns: readWhole(members['columns'], 'retention.columns', 1, 1000),
  };
}

function readAttribution(value: unknown, expressions: ExpressionReader, range: TimeRange): Ask {
  const members = asObject(value, 'attribution');
  onlyKnown(members, ['goal', 'touchesFrom', 'sources'], 'attribution');
  const { touchesFrom } = members as { touchesFrom?: unknown };
  const touchesFromMs =
    touchesFrom === undefined ? undefined : readTime(touchesFrom, 'attribution.touchesFrom');
  if (touchesFromMs !== undefined && touchesFromMs > range.fromMs)
    refuse('attribution.touchesFrom', 'must not be after from', touchesFrom);
  if (touchesFromMs !== undefined && range.toMs - touchesFromMs > questionLimits.rangeMsMax)
    refuse('attribution.touchesFrom', 'needs a range of at most 100 years', touchesFrom);
  const goal = expressions.readNames(members['goal'], 'attribution.goal');
  return { kind: 'attribution', goal, touchesFromMs, sources: readSources(members['sources']) };
}

function readSources(value: unknown): readonly OneName[] | undefined {
  if (value === undefined) return undefined;
  const parts = asArray(value, 'attribution.sources');
  if (parts.length < 1 || parts.length > questionLimits.attributionSourcesMax)
    refuse('attribution.sources', `needs 1 to ${questionLimits.attributionSourcesMax} sources`, parts.length);
  return parts.map((part, i) => {
    const path = `attribution.sources[${i}]`;
    const members = asObject(part, path);
    onlyKnown(members, ['source', 'campaign'], path);
    return readNamed(members, path) as OneName;
  });
}

function readConcurrent(value: unknown): Ask {
  const members = asObject(value === true ? {} : value, 'concurrent');
  onlyKnown(members, [...nameMembers, 'windowMinutes'], 'concurrent');
  const { windowMinutes = 1 } = members as { windowMinutes?: unknown };
  const isNamed = members['event'] !== undefined || members['source'] !== undefined;
  return {
    kind: 'concurrent',
    of: readNamed(isNamed ? members : { event: 'heartbeat' }, 'concurrent'),
    windowMinutes: readWhole(
      windowMinutes,
      'concurrent.windowMinutes',
      1,
      questionLimits.concurrentWindowMinutesMax,
    ),
  };
}
