/** The public entry of this room. */
export { type BootstrapOptions, bootstrap, type Interval } from './bootstrap.ts';
export { type ChangePoint, type ChangePointOptions, changePoints } from './change-points.ts';
export {
  ksDistance,
  logWasserstein,
  mergeHistograms,
  quantileUs,
  type ShapeTest,
  shapeTest,
} from './distribution.ts';
export { hodgesLehmann, type Located, logRatio, walshAverages } from './hodges-lehmann.ts';
export {
  mean,
  median,
  medianAbsoluteDeviation,
  quantile,
  robustDeviation,
  theilSenSlope,
  variance,
} from './order.ts';
export { detectableChange, pairDeviation, pairsMin, pairsNeeded } from './power.ts';
export { type ShiftBand, shiftBand, shiftQuantiles } from './shift-function.ts';
export { signedRankCounts, signedRankIndex } from './signed-rank.ts';
export {
  type LittleCheck,
  littlesLaw,
  type Steadiness,
  steadiness,
  type WindowBooks,
} from './window-checks.ts';
