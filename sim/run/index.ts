/** The public entry of this room. */
export { CrowdRun, steadyFromMs } from './crowd-run.ts';
export { packageVersion } from './environment.ts';
export { LiveLine, type LiveSink } from './live-line.ts';
export {
  configFileKeys,
  type RawSimOptions,
  resolveSimOptions,
  type SimOptions,
  simOptionNames,
} from './options.ts';
export { type RunResult, runSchema } from './result.ts';
export { checkWritable } from './result-files.ts';
export type { RunView } from './run-monitor.ts';
export { exitCodeOf, type SimulationOutcome, simulate } from './simulation.ts';
export { summaryText } from './summary.ts';
