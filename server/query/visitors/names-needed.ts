/** Which names of a property have to be looked up before a question about it can be planned. */
import type { Ask, Expression, NamedLeaf, VisitorQuestion } from './question.ts';

export interface NamesNeeded {
  /** All event types. */
  readonly events: boolean;
  /** The answer holds all of them, so none may be left out; a top list may leave out some. */
  readonly everyEvent: boolean;
  /** All sources with their campaigns. */
  readonly sources: boolean;
  /** Sources whose campaigns are asked for. */
  readonly campaignsOf: ReadonlySet<string>;
}

export function namesNeeded({ ask }: VisitorQuestion): NamesNeeded {
  const leaves = leavesOf(ask);
  const everyEvent = ask.kind === 'newReturning' || leaves.some((leaf) => 'anyEvent' in leaf);
  return {
    events: everyEvent || (ask.kind === 'top' && ask.what === 'events'),
    everyEvent,
    sources:
      (ask.kind === 'top' && ask.what === 'sources') ||
      (ask.kind === 'attribution' && ask.sources === undefined),
    campaignsOf: new Set(leaves.flatMap((leaf) => ('anyCampaign' in leaf ? [leaf.source] : []))),
  };
}

type Leaf = Extract<Expression, { readonly range: unknown }> | NamedLeaf;

function leavesOf(ask: Ask): readonly Leaf[] {
  switch (ask.kind) {
    case 'uniques':
    case 'series':
    case 'newReturning':
    case 'stickiness':
      return leavesIn(ask.of);
    case 'top':
      return ask.among === undefined ? [] : leavesIn(ask.among);
    case 'funnel':
      return ask.steps.flatMap(leavesIn);
    case 'orderedFunnel':
      return ask.steps.flat();
    case 'retention':
      return [...leavesIn(ask.cohort), ...leavesIn(ask.returning)];
    case 'attribution':
      return ask.goal;
    case 'concurrent':
      return [ask.of];
    default: {
      const never: never = ask;
      return never;
    }
  }
}

function leavesIn(expression: Expression): readonly Leaf[] {
  if ('and' in expression) return expression.and.flatMap(leavesIn);
  if ('or' in expression) return expression.or.flatMap(leavesIn);
  if ('minus' in expression) return expression.minus.flatMap(leavesIn);
  if ('not' in expression) return leavesIn(expression.not);
  return 'all' in expression ? [] : [expression];
}
