/** Runs bench scenarios by name and prints what they found. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CrowdbeatError } from '../../server/base/errors.ts';
import { cost } from '../scenarios/cost.ts';
import { crowd } from '../scenarios/crowd.ts';
import { enrich } from '../scenarios/enrich.ts';
import { generator } from '../scenarios/generator.ts';
import { queryVisitors } from '../scenarios/query-visitors.ts';
import { figureLine, keepsBound, type Scenario } from '../scenarios/scenario.ts';

export const scenarios: readonly Scenario[] = [crowd, generator, cost, enrich, queryVisitors];

export interface BenchOptions {
  readonly names: readonly string[];
  readonly smoke: boolean;
  readonly say: (line: string) => void;
}

export function listScenarios(): string[] {
  return scenarios.flatMap(({ name, question, notMeasured }) => [
    `${name.padEnd(12)} ${question}`,
    `${' '.repeat(13)}Not measured: ${notMeasured}.`,
  ]);
}

/** Throws CrowdbeatError CB_OPTION if a name is unknown. True if every bound was kept and nothing went wrong. */
export async function runScenarios({ names, smoke, say }: BenchOptions): Promise<boolean> {
  const chosen = names.length === 0 ? scenarios : names.map(findScenario);
  let good = true;
  for (const scenario of chosen) {
    say(`${scenario.name}: ${scenario.question}`);
    const directory = mkdtempSync(join(tmpdir(), `crowdbeat-bench-${scenario.name}-`));
    try {
      const report = await scenario.run({ smoke, directory, say });
      for (const figure of report.figures) say(figureLine(figure));
      for (const problem of report.problems) say(`PROBLEM ${problem}`);
      const missed = report.figures.some((figure) => !keepsBound(figure));
      good = good && !missed && report.problems.length === 0;
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
    say(`Not measured: ${scenario.notMeasured}.`);
  }
  return good;
}

function findScenario(name: string): Scenario {
  const found = scenarios.find((scenario) => scenario.name === name);
  if (found !== undefined) return found;
  const known = scenarios.map((scenario) => scenario.name).join(', ');
  throw new CrowdbeatError('CB_OPTION', `bench: needs one of ${known}, got ${JSON.stringify(name)}`);
}
