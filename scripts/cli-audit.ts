/** `crowdbeat audit <run id>`: asks the collector once more whether it has what a run did. */
import { existsSync, statSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Argv } from 'yargs';
import { systemClock } from '../server/base/clock.ts';
import { CrowdbeatError, messageOf } from '../server/base/errors.ts';
import { exitCodes } from '../server/base/exit-codes.ts';
import { auditAgain, auditText, ledgerFileName, openAuditApi, readLedger } from '../sim/run/index.ts';
import { nonEmpty, readFsync } from './cli-serve.ts';
import { findPassword } from './cli-sim.ts';
import { findHome } from './home.ts';
import { startStack } from './stack.ts';

export const auditBuilder = (yargs: Argv) =>
  yargs
    .positional('run', { type: 'string', describe: 'a run id, its directory, or its ledger.json.gz' })
    .option('target', {
      type: 'string',
      describe: 'the collector (default: that of the run, or one of our own)',
    })
    .option('username', { alias: 'user', type: 'string', describe: 'user to log in as, as in sim' })
    .option('password-file', { type: 'string', describe: 'file whose first line is the password' })
    .option('redis', { type: 'string', describe: 'Redis of our own collector, as in sim' })
    .option('json', { type: 'string', describe: 'also write the report to this file' });

export async function auditCommand(argv: Readonly<Record<string, unknown>>): Promise<number> {
  const home = findHome();
  const path = ledgerPath(String(argv['run']), home.results);
  const saved = await readLedger(path);
  const username = argv['username'] as string | undefined;
  const password = await findPassword(argv['password-file'] as string | undefined);
  const say = (line: string): void => void process.stdout.write(`crowdbeat: ${line}\n`);
  const named = (argv['target'] as string | undefined) ?? (saved.ownCollector ? undefined : saved.target);
  const url = (argv['redis'] as string | undefined) ?? nonEmpty(process.env['REDIS_URL']);
  const place = { url, dataDir: home.redisData, fsync: readFsync(undefined) };
  const stack = named === undefined ? await startStack(place, say) : undefined;
  try {
    const target = stack?.collector.url ?? readTarget(named ?? '');
    const { api, close } = await openAuditApi({ target, property: saved.property, username, password });
    const hooks = { clock: systemClock, onNote: say, isAborted: () => false };
    const repeated = await auditAgain(api, saved, hooks).finally(close);
    process.stdout.write(auditText(saved.run.runId, repeated));
    const json = argv['json'] as string | undefined;
    if (json !== undefined) await writeReport(json, { runId: saved.run.runId, ...repeated });
    return repeated.report.ok ? exitCodes.ok : exitCodes.auditMismatch;
  } finally {
    await stack?.stop();
  }
}

function ledgerPath(run: string, results: string): string {
  for (const path of [run, join(results, run)]) {
    if (!existsSync(path)) continue;
    const file = statSync(path).isDirectory() ? join(path, ledgerFileName) : path;
    if (existsSync(file)) return file;
    throw new CrowdbeatError('CB_FILE', `audit: ${path} has no ${ledgerFileName}`);
  }
  throw new CrowdbeatError('CB_FILE', `audit: needs a run with results in ${results}, got "${run}"`);
}

function readTarget(text: string): URL {
  if (URL.canParse(text)) return new URL(text);
  throw new CrowdbeatError('CB_OPTION', `--target: needs an http or https URL, got ${JSON.stringify(text)}`);
}

async function writeReport(path: string, report: unknown): Promise<void> {
  await writeFile(path, `${JSON.stringify(report, null, 2)}\n`).catch((error: unknown) => {
    throw new CrowdbeatError('CB_FILE', `--json: ${path} can't be written: ${messageOf(error)}`, {
      cause: error,
    });
  });
}
