/** `crowdbeat doctor`: is this machine quiet enough to measure on? Its figures are kept for the runs that follow. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Argv } from 'yargs';
import { startServer } from '../bench/record/child.ts';
import { systemClock } from '../server/base/clock.ts';
import { CrowdbeatError, messageOf } from '../server/base/errors.ts';
import { exitCodes } from '../server/base/exit-codes.ts';
import { examineMachine, machineText } from '../sim/run/index.ts';
import { findHome } from './home.ts';

export const doctorBuilder = (yargs: Argv) =>
  yargs
    .option('json', { type: 'string', describe: 'also write the figures to this file' })
    .option('strict', { type: 'boolean', describe: 'exit 30 if the machine is noisy' })
    .epilogue('It takes seven seconds. Nothing else should be at work meanwhile. See docs/validity.md');

const doctorFile = (state: string): string => join(state, 'doctor.json');
const machineName = (): string => `${cpus()[0]?.model ?? 'unknown'} x ${cpus().length}`;

export async function doctorCommand(argv: Readonly<Record<string, unknown>>): Promise<number> {
  const nullServer = fileURLToPath(new URL('../bench/null-server.js', import.meta.url));
  const server = await startServer([nullServer]);
  const report = await examineMachine({
    nullServer: new URL(`http://127.0.0.1:${server.port}`),
    clock: systemClock,
  }).finally(() => server.stop());
  process.stdout.write(machineText(report));
  const { state } = findHome();
  const text = `${JSON.stringify({ ...report, machine: machineName(), measuredMs: systemClock.wallMs() }, null, 2)}\n`;
  await mkdir(state, { recursive: true });
  for (const path of [doctorFile(state), argv['json'] as string | undefined])
    if (path !== undefined) await write(path, text);
  return argv['strict'] === true && report.grade === 'noisy' ? exitCodes.invalid : exitCodes.ok;
}

async function write(path: string, text: string): Promise<void> {
  await writeFile(path, text).catch((error: unknown) => {
    throw new CrowdbeatError('CB_FILE', `${path}: can't be written: ${messageOf(error)}`, { cause: error });
  });
}

/** What the last `doctor` on this machine says one thread reaches, requests a second; undefined: nobody asked it. */
export async function nullServerPerSecond(): Promise<number | undefined> {
  try {
    const report = JSON.parse(await readFile(doctorFile(findHome().state), 'utf8')) as {
      machine?: string;
      loopback?: { requestsPerSecond?: number };
    };
    return report.machine === machineName() ? report.loopback?.requestsPerSecond : undefined;
  } catch {
    // Never measured here, or a file that is none: the rule is then not judged.
    return undefined;
  }
}
