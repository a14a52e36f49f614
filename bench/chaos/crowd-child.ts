/** A crowd as a process of its own, `crowdbeat sim`, as a user would start it. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RunResult } from '../../sim/run/index.ts';
import { crowdbeatProgram, startChild } from './children.ts';

export interface CrowdEnd {
  readonly code: number | null;
  /** Undefined if the run left none. */
  readonly result: RunResult | undefined;
  /** All it printed, for a report of something unexpected. */
  readonly output: string;
}

/**
 * Resolves when it has ended, however.
 * @param directory scratch place for its results and logs; `name` tells runs in it apart
 */
export function runCrowd(
  directory: string,
  name: string,
  target: URL,
  args: readonly string[],
): Promise<CrowdEnd> {
  const json = join(directory, `${name}.json`);
  const all = [crowdbeatProgram(), 'sim', ...args, '--target', target.href, '--json', json];
  const child = startChild(process.execPath, all, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, CROWDBEAT_HOME: directory },
  });
  let output = '';
  const read = (bytes: Buffer): void => {
    output += bytes.toString();
  };
  child.stdout?.on('data', read);
  child.stderr?.on('data', read);
  return new Promise((resolve) => {
    child.once('close', (code) => {
      resolve({ code, result: readResult(json), output });
    });
  });
}

/** --json is an empty file until the run is over. */
function readResult(path: string): RunResult | undefined {
  const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
  return text === '' ? undefined : (JSON.parse(text) as RunResult);
}
