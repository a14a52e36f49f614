/** The public entry of this room. */
export { notComparable, notConfirming, versionReason } from './comparable.ts';
export { type CompareOptions, compareSession, mayStopEarly, notReproducedOf } from './compare.ts';
export { type Comparison, comparisonSchema, comparisonShape, type MetricResult } from './comparison.ts';
export { confirmationPairs } from './decide.ts';
export { type FloorSession, floorsOf, plannedFloors } from './floors.ts';
export { comparisonExitCode, type Gate, gates } from './gate.ts';
export { guardLimits, guardReasons } from './guards.ts';
export { type HistorySeries, historyOf } from './history.ts';
export { indexEntryOf, mayAdvance } from './index-entry.ts';
export { type MetricKind, metricRules, type Reading, readingsOf } from './metrics.ts';
export { balancedOrder, pairSeed, planSession, stageOneAlpha } from './plan.ts';
export { compareResults } from './results.ts';
