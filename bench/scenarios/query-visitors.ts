/**
 * What questions about visitors cost, beside the raw Redis commands in the same run. The crowds are written straight as
 * keys by a program of its own (scripts/cli-bench-visitors.ts), for it has to know what keys are called.
 */
import { fileURLToPath } from 'node:url';
import { CrowdbeatError } from '../../server/base/errors.ts';
import { runNode } from '../record/child.ts';
import type { Scenario, ScenarioContext, ScenarioFigure, ScenarioReport } from './scenario.ts';

const visitorsPath = fileURLToPath(new URL('../../scripts/cli-bench-visitors.js', import.meta.url));

async function run({ smoke, directory, say }: ScenarioContext): Promise<ScenarioReport> {
  say('writing crowds and asking; at full size this takes some minutes');
  const size = smoke ? 'smoke' : 'full';
  const { code, output } = await runNode([visitorsPath, size, directory], 15 * 60_000);
  if (code !== 0) throw new CrowdbeatError('CB_WORKER', `cli-bench-visitors ${size} ended with code ${code}`);
  return { figures: JSON.parse(output) as ScenarioFigure[], problems: [] };
}

export const queryVisitors: Scenario = {
  name: 'query-visitors',
  question: 'What do questions about visitors cost, and how much more than the raw Redis commands?',
  notMeasured:
    'HTTP, and ingest beside the questions; the keys were written straight into Redis, not by commits',
  run,
};
