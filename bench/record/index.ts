/** The public entry of this room. */
export {
  type ArmOptions,
  areIdentical,
  buildOfHealth,
  commitOf,
  describeArm,
  hashOf,
  workloadHashOf,
} from './build-identity.ts';
export { envClassOf, type MachineSources, readEnvironment, thisMachine } from './environment.ts';
export { type BucketCounts, decodeHistogram } from './histogram-codec.ts';
export { type HostCounters, hostBetween, readHostCounters } from './host-counters.ts';
export { type Interval, type IntervalLogText, readIntervalLog } from './interval-log.ts';
export { appendLine, readLines } from './json-lines.ts';
export { BenchPlaces, newSessionId, placesIn, type SessionPlaces, trialIdOf } from './places.ts';
export {
  type Baseline,
  baselineSchema,
  baselineShape,
  type Floors,
  floorsSchema,
  floorsShape,
} from './pointers.ts';
export {
  type Arm,
  type Environment,
  type IndexEntry,
  indexSchema,
  type Plan,
  type Session,
  sessionSchema,
  type Verdict,
  verdicts,
  type Workload,
} from './session.ts';
export { readIndex, readSession, SessionWriter, type StoredSession } from './session-files.ts';
export {
  isShown,
  type Latency,
  latencyRecord,
  type QuantileName,
  quantileNames,
  type Trial,
  tailSamplesMin,
  trialSchema,
} from './trial.ts';
export { readRecord, writeRecord } from './whole-file.ts';
