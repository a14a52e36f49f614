/** `crowdbeat report <run or session>`: a result as one HTML file, or a session's comparison in another form. */
import { writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Argv } from 'yargs';
import {
  findResult,
  type OutputName,
  outputNames,
  outputs,
  readReported,
  writeReport,
} from '../bench/report/index.ts';
import { systemClock } from '../server/base/clock.ts';
import { CrowdbeatError, messageOf } from '../server/base/errors.ts';
import { exitCodes } from '../server/base/exit-codes.ts';
import { packageVersion } from '../sim/run/index.ts';
import { findHome } from './home.ts';

const formats = ['html', ...outputNames] as const;

export const reportBuilder = (yargs: Argv) =>
  yargs
    .positional('result', { type: 'string', describe: 'a run or session: its folder or its name' })
    .option('out', { type: 'string', describe: 'file to write (default: report.html in the folder)' })
    .option('format', {
      type: 'string',
      choices: formats,
      describe:
        'html, or of a session: text, markdown, junit, json, prometheus … (on the terminal without --out)',
    });

export async function reportCommand(argv: Readonly<Record<string, unknown>>): Promise<number> {
  const directory = findResult(String(argv['result']), findHome().results);
  const out = argv['out'] as string | undefined;
  const format = (argv['format'] as 'html' | OutputName | undefined) ?? 'html';
  const tool = packageVersion();
  if (format !== 'html') {
    const text = outputs[format](readReported(directory, tool));
    if (out === undefined) process.stdout.write(text);
    else write(out, text);
    return exitCodes.ok;
  }
  const file = out ?? join(directory, 'report.html');
  const madeAt = new Date(systemClock.wallMs()).toISOString();
  const bytes = writeReport({ directory, file, tool, madeAt });
  process.stdout.write(`${basename(directory)}: ${file} (${Math.ceil(bytes / 1024)} KiB)\n`);
  return exitCodes.ok;
}

function write(file: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch (error) {
    throw new CrowdbeatError('CB_FILE', `${file}: can't be written: ${messageOf(error)}`, { cause: error });
  }
}
