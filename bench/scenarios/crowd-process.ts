/** Runs `crowdbeat sim` as a user would, in a process of its own, and reads its result. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CrowdbeatError } from '../../server/base/errors.ts';
import type { RunResult } from '../../sim/run/index.ts';
import { runNode } from '../record/child.ts';
import type { ScenarioContext } from './scenario.ts';

export const programPath = fileURLToPath(new URL('../../scripts/crowdbeat.js', import.meta.url));

export async function runCrowd(
  context: ScenarioContext,
  name: string,
  args: readonly string[],
): Promise<RunResult> {
  const json = join(context.directory, `${name}.json`);
  const deadlineMs = 10 * 60_000;
  const { code } = await runNode([programPath, 'sim', ...args, '--json', json], deadlineMs, {
    CROWDBEAT_HOME: context.directory,
  });
  if (code === 1 || code === null)
    throw new CrowdbeatError('CB_WORKER', `crowdbeat sim ${args.join(' ')} ended with code ${code}`);
  return JSON.parse(readFileSync(json, 'utf8')) as RunResult;
}

export function problemsOf(result: RunResult, name: string): string[] {
  const problems: string[] = [];
  if (result.audit !== null && !result.audit.ok)
    problems.push(`${name}: audit: ${result.audit.reasons.join('; ')}`);
  if (!result.generator.valid) problems.push(`${name}: invalid: ${result.generator.reasons.join('; ')}`);
  return problems;
}
