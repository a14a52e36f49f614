/** The public entry of this room. */
export { auditAgain } from './audit-again.ts';
export { openAuditApi } from './audit-api.ts';
export { CrowdRun, steadyFromMs } from './crowd-run.ts';
export { checkDescriptors } from './descriptors.ts';
export { examineMachine, machineText } from './doctor.ts';
export { packageVersion } from './environment.ts';
export { ledgerFileName, readLedger } from './ledger-file.ts';
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
export { auditText, summaryText } from './summary.ts';
