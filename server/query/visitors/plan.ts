/**
 * Plans of questions: which sets to count, and what the counts mean. Pure; what it has to know of the property (its
 * names) is given. Each planner returns the store's plan and the function that makes the reply of its result.
 */

import type { RegisteredName } from '../../store/visitor-names.ts';
import type { BitExpression } from '../../store/visitor-plan.ts';
import type { ExpressionPlanner } from './expressions.ts';
import { planCohorts, planConcurrent, planSeries, planStickiness } from './plan-periods.ts';
import { planAttribution, planOrderedFunnel } from './plan-sweeps.ts';
import { funnelReply, type KnownNames, namedReply, type PlannedQuestion, planCounts } from './planned.ts';
import type { Expression, VisitorQuestion } from './question.ts';

/** Throws ExpiredError, PlanError. */
export function planQuestion(
  { ask, range }: VisitorQuestion,
  planner: ExpressionPlanner,
  known: KnownNames,
): PlannedQuestion {
  switch (ask.kind) {
    case 'uniques':
      return planCounts([planner.plan(ask.of, range)], ([visitors = 0]) => ({ visitors }));
    case 'series':
      return planSeries(ask, range, planner);
    case 'top': {
      const names = ask.what === 'events' ? known.events : known.sources;
      const among = ask.among === undefined ? undefined : planner.plan(ask.among, range);
      const sets = names.map(({ keyName }) => within(planner.named([keyName], range), among));
      return planCounts(sets, (counts) => ({ top: topOf(names, counts, ask.limit) }));
    }
    case 'funnel': {
      const steps = ask.steps.map((step) => planner.plan(step, range));
      return planCounts(progressive(steps), (counts) => ({ funnel: funnelReply(counts) }));
    }
    case 'orderedFunnel':
      return planOrderedFunnel(ask, range, planner);
    case 'retention':
      return planCohorts(ask, range, planner);
    case 'attribution':
      return planAttribution(ask, range, planner, known);
    case 'newReturning': {
      const now = planner.plan(ask.of, range);
      const before = planner.plan(anyEvent, { fromMs: 0, toMs: range.fromMs });
      const sets: BitExpression[] = [{ minus: [now, before] }, { and: [now, before] }];
      return planCounts(sets, ([fresh = 0, returning = 0]) => ({ new: fresh, returning }));
    }
    case 'stickiness':
      return planStickiness(ask, range, planner);
    case 'concurrent':
      return planConcurrent(ask, range, planner);
    default: {
      const never: never = ask;
      return never;
    }
  }
}

const anyEvent: Expression = { anyEvent: true, range: undefined };

const within = (set: BitExpression, among: BitExpression | undefined): BitExpression =>
  among === undefined ? set : { and: [set, among] };

/** Step 1; step 1 and 2; … each built on the one before. */
function progressive(steps: readonly BitExpression[]): BitExpression[] {
  const reached: BitExpression[] = [];
  for (const step of steps) {
    const before = reached.at(-1);
    reached.push(before === undefined ? step : { and: [before, step] });
  }
  return reached;
}

/** Most visitors first, then by key name; without those that nobody had. */
function topOf(names: readonly RegisteredName[], counts: readonly number[], limit: number): object[] {
  return names
    .map((name, i) => ({ name, visitors: counts[i] ?? 0 }))
    .filter(({ visitors }) => visitors > 0)
    .sort((a, b) => b.visitors - a.visitors || (a.name.keyName < b.name.keyName ? -1 : 1))
    .slice(0, limit)
    .map(({ name, visitors }) => ({ ...namedReply(name), visitors }));
}
