/** The public entry of this room. */
export { CrowdRun, steadyFromMs } from './crowd-run.ts';
export { checkDescriptors } from './descriptors.ts';
export { packageVersion } from './environment.ts';
export { loadText, visitorsMaxOf } from './load-options.ts';
export {
  configFileKeys,
  type RawSimOptions,
  resolveSimOptions,
  type SimOptions,
  simOptionNames,
  visitorsMax,
} from './options.ts';
export { Panel, type PanelSink } from './panel.ts';
export { type RunResult, runSchema } from './result.ts';
export { checkWritable } from './result-files.ts';
export { RunControl } from './run-control.ts';
export type { RunView } from './run-monitor.ts';
export { exitCodeOf, type SimulationOutcome, simulate } from './simulation.ts';
export { summaryText } from './summary.ts';
