/** Questions about order, which are answered minute by minute: ordered funnels and attribution. */
import type { RegisteredName } from '../../store/visitor-names.ts';
import { type ExpressionPlanner, keyNameOf, PlanError } from './expressions.ts';
import { funnelReply, type KnownNames, namedReply, type PlannedQuestion } from './planned.ts';
import { type Ask, type NamedLeaf, type OneName, questionLimits, type TimeRange } from './question.ts';

type AskOf<Kind extends Ask['kind']> = Extract<Ask, { kind: Kind }>;

const keyNamesOf = (leaves: readonly NamedLeaf[], planner: ExpressionPlanner): string[] => [
  ...new Set(leaves.flatMap((leaf) => planner.keyNames(leaf))),
];

export function planOrderedFunnel(
  ask: AskOf<'orderedFunnel'>,
  range: TimeRange,
  planner: ExpressionPlanner,
): PlannedQuestion {
  const steps = ask.steps.map((leaves) => keyNamesOf(leaves, planner));
  const cover = planner.minuteCover(range, steps.flat().length);
  return {
    plan: { kind: 'orderedFunnel', steps, cover, windowMinutes: ask.windowMinutes },
    reply: (result) => ({ funnel: funnelReply(result.kind === 'orderedFunnel' ? result.counts : []) }),
  };
}

export function planAttribution(
  ask: AskOf<'attribution'>,
  range: TimeRange,
  planner: ExpressionPlanner,
  known: KnownNames,
): PlannedQuestion {
  const sources = ask.sources === undefined ? known.sources : chosen(ask.sources, planner);
  if (sources.length > questionLimits.attributionSourcesMax) {
    const message = `attribution: at most ${questionLimits.attributionSourcesMax} sources; name those that matter in attribution.sources`;
    throw new PlanError('too_many_sources', message);
  }
  const goal = keyNamesOf(ask.goal, planner);
  const goalCover = planner.minuteCover(range, goal.length);
  const touches = { fromMs: ask.touchesFromMs ?? range.fromMs, toMs: range.toMs };
  const touchCover = planner.minuteCover(touches, sources.length);
  const names = sources.map(({ keyName }) => keyName);
  return {
    plan: { kind: 'attribution', goal, sources: names, goalCover, touchCover },
    reply: (result) => {
      if (result.kind !== 'attribution') return {};
      const { conversions, untouched, first, last, any: touched } = result;
      const attribution = sources.map((name, i) => ({
        ...namedReply(name),
        first: first[i] ?? 0,
        last: last[i] ?? 0,
        any: touched[i] ?? 0,
      }));
      return { conversions, untouched, attribution: attribution.filter((source) => source.any > 0) };
    },
  };
}

/** The sources of the question, each once, in the order of their key names: that of the registry. */
function chosen(leaves: readonly OneName[], planner: ExpressionPlanner): RegisteredName[] {
  const names = new Map<string, RegisteredName>();
  for (const leaf of leaves) {
    const keyName = keyNameOf(leaf);
    planner.names.set(keyName, leaf);
    names.set(keyName, { ...leaf, keyName });
  }
  return [...names.values()].sort((a, b) => (a.keyName < b.keyName ? -1 : 1));
}
