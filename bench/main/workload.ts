/** The workload of a comparison: how much of what, and what makes two sessions the same work. */
import { hashOf, type Workload, workloadHashOf } from '../record/index.ts';
import type { TrialLoad } from '../scenarios/trial.ts';

/** 1,000 events and 200 questions a second, on two cores about a third of what a collector can do. */
export const fullLoad: TrialLoad = {
  visitors: 200,
  heartbeat: '200ms',
  warmupS: 4,
  measureS: 10,
  queryPerSec: 200,
  queryS: 10,
};

/** Shows that everything works, and nothing else. */
export const smokeLoad: TrialLoad = {
  visitors: 40,
  heartbeat: '100ms',
  warmupS: 1,
  measureS: 4,
  queryPerSec: 100,
  queryS: 2,
};

export const workloadName = 'ingest+query';

/** Changes whenever a trial does other work than before under the same options. */
const scenarioVersion = 1;

/** @param generatorVersion version of this program */
export function workloadOf(load: TrialLoad, seed: number, generatorVersion: string): Workload {
  const parts = {
    scenarioHash: hashOf([workloadName, scenarioVersion, load]),
    datasetHash: hashOf('what the crowd of the trial wrote'),
    generatorVersion,
  };
  const events = load.visitors / (Number.parseFloat(load.heartbeat) / 1000);
  const [ingest, query] = [events * load.measureS, load.queryPerSec * load.queryS];
  return {
    ...{ name: workloadName, ...parts, workloadHash: workloadHashOf(parts, seed) },
    ...{ mode: 'open', arrival: 'replayed' },
    ratePerSec: Math.round((ingest + query) / (load.measureS + load.queryS)),
    ...{ warmupS: load.warmupS, measureS: load.measureS + load.queryS },
    mix: { ingest: ingest / (ingest + query), query: query / (ingest + query) },
  };
}
