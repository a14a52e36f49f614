/**
 * Where crowdbeat keeps what it makes: `.crowdbeat/` (Redis data, state), `logs/`, `results/`. In the
 * checkout, whatever the working directory, so that every terminal finds the same run; CROWDBEAT_HOME
 * moves it.
 */
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface Home {
  readonly root: string;
  readonly state: string;
  readonly redisData: string;
  readonly logs: string;
  readonly results: string;
}

/** The folder that holds package.json: above the sources, two above dist/scripts. */
export function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  return folder;
}

export function findHome(environment: NodeJS.ProcessEnv = process.env): Home {
  const root = resolve(environment['CROWDBEAT_HOME'] ?? packageRoot());
  const state = join(root, '.crowdbeat');
  return {
    root,
    state,
    redisData: join(state, 'redis'),
    logs: join(root, 'logs'),
    results: join(root, 'results'),
  };
}
