/**
 * The ledger of a run as a file, `results/<run id>/ledger.json.gz`: all that `crowdbeat audit` needs to ask the collector
 * the same questions again. Gzipped JSON, schema `crowdbeat.ledger/1`; the visits stand in it as four columns of unsigned
 * 32-bit numbers, little-endian, in base64, since there may be millions of them.
 *
 *   {"schema": "crowdbeat.ledger/1", "runId": "…", "seed": 1, "target": "http://…", "ownCollector": true,
 *    "property": "demo/site", "endedMs": 1795280000000, "after": {…totals…}, "run": {"before": …, "ledger": …,
 *    "store": …, "truth": {… "visits": {"slots": "AAAA…", …}}, "sessionStore": null, "awaitTimeoutsMs": 0}}
 */
import { readFile, writeFile } from 'node:fs/promises';
import { endianness } from 'node:os';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { CrowdbeatError, messageOf } from '../../server/base/errors.ts';
import type { TotalsReply } from '../../server/protocol/replies.ts';
import type { VisitRows } from '../worker/visit-counts.ts';
import type { AuditedRun } from './run-audit.ts';

export const ledgerSchema = 'crowdbeat.ledger/1';
export const ledgerFileName = 'ledger.json.gz';

export interface SavedLedger {
  readonly run: AuditedRun;
  readonly target: string;
  /** The target was a collector that the run started and ended itself. */
  readonly ownCollector: boolean;
  readonly property: string;
  /** Epoch ms at which the audit was made: the questions' ranges end by it. */
  readonly endedMs: number;
  /** What the target said right after the audit; null if it said nothing. */
  readonly after: TotalsReply | null;
}

const columns = ['slots', 'generations', 'persons', 'events'] as const;

/** Throws CrowdbeatError CB_FILE. */
export async function writeLedger(path: string, saved: SavedLedger): Promise<void> {
  const { run, ...rest } = saved;
  const visits = Object.fromEntries(columns.map((name) => [name, toText(run.truth.visits[name])]));
  const { seed, runId, sessionStore = null, ...material } = run;
  const file = {
    schema: ledgerSchema,
    runId,
    seed,
    ...rest,
    run: { ...material, sessionStore, truth: { ...run.truth, visits } },
  };
  try {
    await writeFile(path, await promisify(gzip)(JSON.stringify(file)));
  } catch (error) {
    throw new CrowdbeatError('CB_FILE', `ledger ${path}: can't be written: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/** Throws CrowdbeatError CB_FILE if there is none, or if it is of another schema. */
export async function readLedger(path: string): Promise<SavedLedger> {
  const refuse = (why: string, cause?: unknown): CrowdbeatError =>
    new CrowdbeatError('CB_FILE', `ledger ${path}: ${why}`, { cause });
  let text: string;
  try {
    text = (await promisify(gunzip)(await readFile(path))).toString();
  } catch (error) {
    throw refuse(`can't be read: ${messageOf(error)}`, error);
  }
  const file = parse(text);
  if (file?.schema !== ledgerSchema)
    throw refuse(`needs the schema ${ledgerSchema}, got ${JSON.stringify(file?.schema ?? null)}`);
  const { runId, seed, target, ownCollector, property, endedMs, after, run } = file;
  const visits = Object.fromEntries(columns.map((name) => [name, fromText(run.truth.visits[name] ?? '')]));
  return {
    run: {
      ...run,
      seed,
      runId,
      sessionStore: run.sessionStore ?? undefined,
      truth: { ...run.truth, visits: visits as unknown as VisitRows },
      before: { ...run.before, store: run.before.store ?? undefined },
    },
    target,
    ownCollector,
    property,
    endedMs,
    after,
  };
}

type Stored<Member extends keyof AuditedRun> = Pick<AuditedRun, Member>;

/** What the file holds; our own writing, so its schema's name is proof enough. */
interface LedgerFile extends Omit<SavedLedger, 'run'> {
  readonly schema: string;
  readonly runId: string;
  readonly seed: number;
  readonly run: Stored<'before' | 'ledger' | 'store' | 'awaitTimeoutsMs'> & {
    readonly sessionStore: string | null;
    readonly truth: Omit<AuditedRun['truth'], 'visits'> & {
      readonly visits: Readonly<Record<string, string>>;
    };
  };
}

function parse(text: string): LedgerFile | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as LedgerFile) : undefined;
  } catch {
    // No JSON: refused as a file without a schema.
    return undefined;
  }
}

/** Numbers are little-endian in the file, whatever the machine. */
function swapped(bytes: Buffer): Buffer {
  return endianness() === 'LE' ? bytes : bytes.swap32();
}

function toText(column: Uint32Array): string {
  return swapped(Buffer.from(column.slice().buffer)).toString('base64');
}

function fromText(text: string): Uint32Array {
  const bytes = swapped(Buffer.from(text, 'base64'));
  // Copied: a pooled buffer may begin anywhere, an array of 32-bit numbers may not.
  return new Uint32Array(new Uint8Array(bytes).buffer);
}
