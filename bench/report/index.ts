/** The public entry of this room. */
export { type OutputName, outputNames, outputs, writeOutputs } from './outputs.ts';
export { findResult, pageOf, type ReportOptions, readReported, writeReport } from './report.ts';
export type { Reported } from './reported.ts';
export { terminalTable } from './terminal.ts';
