/** `--detach`: the same command again as a process of its own, which outlives this one and its terminal. */
import { spawn } from 'node:child_process';
import { mkdirSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { exitCodes } from '../server/base/exit-codes.ts';
import { askRun } from './control-socket.ts';
import { findHome } from './home.ts';

const lookEveryMs = 100;

/** @param words the command line without --detach. Returns when the run is live, or has failed to become so. */
export async function runDetached(words: readonly string[]): Promise<number> {
  const home = findHome();
  mkdirSync(home.state, { recursive: true, mode: 0o700 });
  const logPath = join(home.state, 'run.log');
  const log = openSync(logPath, 'w', 0o600);
  const program = fileURLToPath(new URL('./crowdbeat.js', import.meta.url));
  const child = spawn(process.execPath, [program, ...words], { detached: true, stdio: ['ignore', log, log] });
  let ended: number | null | undefined;
  child.once('exit', (code) => {
    ended = code;
  });
  while (ended === undefined) {
    const status = await askRun(home.state, { command: 'status' });
    if (status?.text.startsWith('a run is live') === true) {
      child.unref();
      process.stdout.write(
        `crowdbeat: ${status.text} (process ${child.pid}); watch: tail -f ${logPath}; end: scripts/stopSim\n`,
      );
      return exitCodes.ok;
    }
    await new Promise((resolve) => setTimeout(resolve, lookEveryMs));
  }
  process.stdout.write(readFileSync(logPath, 'utf8'));
  return ended ?? exitCodes.error;
}
