/** What every planner gives and uses: a plan with the function that makes the reply, and the forms of replies. */
import type { RegisteredName } from '../../store/visitor-names.ts';
import type { BitExpression, VisitorPlan, VisitorResult } from '../../store/visitor-plan.ts';

export interface PlannedQuestion {
  readonly plan: VisitorPlan;
  /** The members of the reply that answer the question. */
  readonly reply: (result: VisitorResult) => object;
}

/** Names of the property that a question is about beyond those that it names itself. */
export interface KnownNames {
  readonly events: readonly RegisteredName[];
  readonly sources: readonly RegisteredName[];
}

export function planCounts(
  outputs: readonly BitExpression[],
  reply: (counts: readonly number[]) => object,
): PlannedQuestion {
  return {
    plan: { kind: 'counts', outputs },
    reply: (result) => reply(result.kind === 'counts' ? result.counts : []),
  };
}

export const funnelReply = (counts: readonly number[]) =>
  counts.map((visitors, i) => ({ step: i + 1, visitors }));

/** As people call it: without the name that keys have. */
export function namedReply(name: RegisteredName): object {
  if ('event' in name) return { event: name.event };
  return name.campaign === undefined
    ? { source: name.source }
    : { source: name.source, campaign: name.campaign };
}
