/** The short version of the cluster's faults: six nodes, two collectors and three small crowds, one fault after the other. */
import { expect, test } from 'vitest';
import { clusterFaults } from './cluster-faults.ts';
import { shortScale } from './fault.ts';
import { findingLines } from './line.ts';
import { runClusterFault } from './run-cluster-fault.ts';

/** Three crowds arrive one after the other on a busy machine; all must still be there when the master dies. */
const scale = { ...shortScale, durationMs: 9000 };

const killed = clusterFaults.filter(({ name }) => name === 'cluster-master-kill');

test.each(killed)(
  'in a cluster a crowd survives: $name',
  async (fault) => {
    const findings = await runClusterFault(fault, scale, 1);
    for (const finding of findings)
      expect(finding.problems, findings.flatMap(findingLines).join('\n')).toEqual([]);
  },
  120_000,
);
