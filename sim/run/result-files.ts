/** Where results go: `results/<run id>/run.json` and `intervals.hlog`, and a copy wherever --json says. */
import { lstat, mkdir, open, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { CrowdbeatError, messageOf } from '../../server/base/errors.ts';
import type { RunResult } from './result.ts';

export interface RunPlaces {
  readonly directory: string;
  readonly runJson: string;
  readonly intervals: string;
}

/** Makes the run's directory. Throws CrowdbeatError CB_FILE naming it. */
export async function prepareRunDirectory(resultsDirectory: string, runId: string): Promise<RunPlaces> {
  const directory = join(resultsDirectory, runId);
  try {
    await mkdir(directory, { recursive: true });
  } catch (error) {
    throw new CrowdbeatError(
      'CB_FILE',
      `results directory ${directory}: can't be made: ${messageOf(error)}`,
      { cause: error },
    );
  }
  return { directory, runJson: join(directory, 'run.json'), intervals: join(directory, 'intervals.hlog') };
}

/** Finds out before a run, and not after it, that its result could not be written. */
export async function checkWritable(path: string, option: string): Promise<void> {
  try {
    await (await open(path, 'a')).close();
  } catch (error) {
    throw new CrowdbeatError('CB_FILE', `${option}: ${path} can't be written: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/** Writes the whole file or nothing: a reader never sees half a result. */
export async function writeResult(path: string, result: RunResult): Promise<void> {
  const text = `${JSON.stringify(result, null, 2)}\n`;
  try {
    await writeWhole(path, text);
  } catch (error) {
    throw new CrowdbeatError('CB_FILE', `result ${path}: can't be written: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

async function writeWhole(path: string, text: string): Promise<void> {
  // A device or pipe such as /dev/stdout, or a link: written through, never replaced by a file.
  const existing = await lstat(path).catch(() => undefined);
  if (existing !== undefined && !existing.isFile()) return writeFile(path, text);
  const partial = join(dirname(path), `.${basename(path)}.${process.pid}.partial`);
  try {
    await writeFile(partial, text);
    await rename(partial, path);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}
