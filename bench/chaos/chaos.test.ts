/** The short version of `npm run chaos`: real processes, small crowds, a few seconds each. */
import { describe, expect, test } from 'vitest';
import { shortScale } from './fault.ts';
import { faults } from './faults.ts';
import { findingLines } from './line.ts';
import { runRandomKills } from './random-kills.ts';
import { runFault } from './run-fault.ts';

// Nine stacks of three processes beside other tests: the time limit is for a busy machine.
describe.concurrent('a crowd survives', { timeout: 180_000 }, () => {
  test.each(
    faults
      .filter(({ name }) => ['a', 'c', 'd', 'e', 'f', 'h', 'i', 'p', 'maxmemory'].includes(name))
      .map((fault) => [fault.does(shortScale), fault] as const),
  )('%s', async (_does, fault) => {
    const finding = await runFault(fault, shortScale, 1);
    expect(finding.problems, findingLines(finding).join('\n')).toEqual([]);
  });

  test('four kills at random times', async () => {
    const said: string[] = [];
    const finding = await runRandomKills({
      seed: 6,
      kills: 4,
      scale: shortScale,
      say: (line) => said.push(line),
    });
    expect(finding.problems, [...said, ...findingLines(finding)].join('\n')).toEqual([]);
    expect(said).toHaveLength(4);
  });
});
