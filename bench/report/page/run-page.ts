/**
 * A run's folder as a page: `run.json`, `intervals.hlog`, and the runs that lie beside it. A run that was cut off
 * has no run.json; its latencies are shown all the same.
 */
import { existsSync, readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { CrowdbeatError } from '../../../server/base/errors.ts';
import { readIntervalLog } from '../../record/index.ts';
import { timelineOf } from './curves.ts';
import { readJsonFile } from './json-file.ts';
import { type Json, memberRows, numberAt, rowsOf, textAt } from './json-rows.ts';
import {
  type Block,
  type Chart,
  fragment,
  type Page,
  rounded,
  type Section,
  type Table,
  type Tone,
} from './model.ts';
import { latencySections } from './run-sections.ts';

const runSchema = 'crowdbeat.run/1';

export function isRun(directory: string): boolean {
  return existsSync(join(directory, 'intervals.hlog')) || existsSync(join(directory, 'run.json'));
}

/** Throws CB_FILE, CB_RECORD or CB_RECORD_VERSION. */
export function runPage(directory: string): Page {
  const file = join(directory, 'run.json');
  const run = existsSync(file) ? readRun(file) : undefined;
  const { intervals, notes } = readIntervalLog(join(directory, 'intervals.hlog'));
  const rampMs = numberAt(run, 'ramp', 'overMs');
  const sections = [
    summary(run, notes),
    ...latencySections(timelineOf(intervals), rampMs === undefined ? undefined : rampMs / 1000),
    ...(run === undefined ? [] : [auditSection(run), historySection(directory, run), detailSection(run)]),
  ];
  return { title: `crowdbeat run ${basename(directory)}`, ...headline(run), sections };
}

function readRun(file: string): Json {
  const run = readJsonFile(file);
  const schema = textAt(run, 'schema');
  if (schema === runSchema) return run;
  throw new CrowdbeatError(
    schema?.startsWith('crowdbeat.run/') === true ? 'CB_RECORD_VERSION' : 'CB_RECORD',
    `${file}: schema: needs "${runSchema}", got ${JSON.stringify(schema)}`,
  );
}

function headline(run: Json | undefined): Pick<Page, 'headline' | 'tone'> {
  if (run === undefined)
    return {
      headline: 'The run has no result: it was cut off. What it measured until then is below.',
      tone: 'warn',
    };
  const valid = textAt(run, 'generator', 'valid') === 'true';
  const audit = textAt(run, 'audit', 'ok');
  const audited =
    audit === undefined
      ? 'not audited'
      : audit === 'true'
        ? 'every event was counted'
        : 'the audit found a difference';
  const measured = valid ? 'the measurement is valid' : 'the measurement is invalid';
  const tone: Tone = audit === 'false' ? 'bad' : valid ? 'good' : 'warn';
  return { headline: `${textAt(run, 'end') ?? 'ended'}; ${audited}; ${measured}`, tone };
}

function summary(run: Json | undefined, notes: readonly string[]): Section {
  const seconds = (numberAt(run, 'durationMs') ?? 0) / 1000;
  const acked = numberAt(run, 'events', 'acked');
  const lost = (numberAt(run, 'events', 'planned') ?? 0) - (acked ?? 0);
  const ms = (...path: string[]): string => {
    const value = numberAt(run, ...path);
    return value === undefined ? '-' : `${rounded(value)} ms`;
  };
  const tiles = [
    { name: 'visitors at the peak', value: whole(numberAt(run, 'visitors', 'peak')) },
    { name: 'events acknowledged', value: whole(acked) },
    { name: 'not acknowledged', value: whole(lost), tone: (lost > 0 ? 'bad' : 'good') as Tone },
    { name: 'events a second', value: seconds > 0 ? whole((acked ?? 0) / seconds) : '-' },
    { name: 'response p50', value: ms('latencyMsAfterRamp', 'response', 'p50') },
    { name: 'response p99', value: ms('latencyMsAfterRamp', 'response', 'p99') },
    { name: 'service p99', value: ms('latencyMsAfterRamp', 'service', 'p99') },
    { name: 'generator lateness p99', value: ms('latencyMsAfterRamp', 'lateness', 'p99') },
  ];
  const reasons = [
    ...rowsOf(run, 'generator', 'reasons'),
    ...rowsOf(run, 'audit', 'reasons'),
    ...rowsOf(run, 'notes'),
  ];
  const said = [...reasons.map(([, text]) => text), ...notes];
  const blocks: Block[] = run === undefined ? [] : [{ kind: 'tiles', tiles }];
  if (said.length > 0)
    blocks.push({ kind: 'table', id: 'notes', columns: ['to know'], rows: said.map((text) => [text]) });
  return { id: 'summary', title: 'Summary', about: 'Latencies are of the time after the ramp.', blocks };
}

function whole(value: number | undefined): string {
  return value === undefined ? '-' : Math.round(value).toLocaleString('en-GB');
}

function auditSection(run: Json): Section {
  const checks = run['audit'] === null ? [] : listAt(run, 'audit', 'checks');
  const bad = (check: Json): boolean => check['ok'] !== true;
  // What is wrong comes first: nobody should have to look for it among hundreds that are right.
  const ordered = [...checks.filter(bad), ...checks.filter((check) => !bad(check))];
  const table: Table = {
    ...{ kind: 'table', id: 'audit-checks', columns: ['check', 'expected', 'collector said', 'outcome'] },
    rows: ordered.map((check) => [
      String(check['name']),
      shown(check['expected']),
      shown(check['actual']),
      bad(check) ? 'DIFFERENT' : 'equal',
    ]),
    numeric: [1, 2],
    tones: ordered.map((check) => (bad(check) ? 'bad' : 'plain')),
  };
  const about =
    checks.length === 0
      ? 'The run was not audited.'
      : 'After the run the collector was asked what it counted; each line compares one answer with the ledger of the crowd.';
  return { id: 'audit', title: 'Audit', about, blocks: checks.length === 0 ? [] : [table] };
}

function shown(value: unknown): string {
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function listAt(run: Json, member: string, list: string): Json[] {
  const inner = (run[member] as Json | undefined)?.[list];
  return Array.isArray(inner) ? (inner as Json[]) : [];
}

/** Runs of the same machine beside this one. Their crowds may differ, so this is a look and no comparison. */
function historySection(directory: string, run: Json): Section {
  const machine = (of: Json): string =>
    JSON.stringify(['cpu', 'cores', 'memoryBytes'].map((name) => textAt(of, 'environment', name)));
  const runs = siblings(dirname(directory))
    .filter((other) => machine(other) === machine(run))
    .sort((a, b) => startOf(a) - startOf(b));
  const values = (...path: string[]): (number | null)[] =>
    runs.map((other) => rounded(numberAt(other, ...path)));
  const chart: Chart = {
    ...{ kind: 'chart', id: 'history-runs', title: 'Response after the ramp, by run' },
    x: { label: 'when', kind: 'date' },
    y: { label: 'response', unit: 'ms', log: true },
    xs: runs.map(startOf),
    series: [
      { label: 'p50', values: values('latencyMsAfterRamp', 'response', 'p50'), dots: true },
      { label: 'p99', values: values('latencyMsAfterRamp', 'response', 'p99'), dots: true },
    ],
    marks: [{ x: startOf(run), label: 'this run' }],
  };
  const table: Table = {
    ...{
      kind: 'table',
      id: 'history-table',
      columns: ['run', 'visitors', 'acknowledged', 'p50 ms', 'p99 ms', 'valid'],
    },
    rows: runs.map((other) => [
      textAt(other, 'runId') ?? '',
      whole(numberAt(other, 'visitors', 'peak')),
      whole(numberAt(other, 'events', 'acked')),
      String(rounded(numberAt(other, 'latencyMsAfterRamp', 'response', 'p50')) ?? '-'),
      String(rounded(numberAt(other, 'latencyMsAfterRamp', 'response', 'p99')) ?? '-'),
      textAt(other, 'generator', 'valid') ?? '',
    ]),
    numeric: [1, 2, 3, 4],
  };
  const about =
    'Runs of this machine that lie in the same folder. Their crowds may differ: look at the number of visitors.';
  return { id: 'history', title: 'History', about, blocks: [chart, table] };
}

function startOf(run: Json): number {
  return Math.round(Date.parse(textAt(run, 'startedAt') ?? '') / 1000);
}

function siblings(folder: string): Json[] {
  return readdirSync(folder).flatMap((name) => {
    const file = join(folder, name, 'run.json');
    if (!existsSync(file)) return [];
    try {
      return [readRun(file)];
    } catch {
      // Another run's broken or newer result is no fault of this one; it is left out of its history.
      return [];
    }
  });
}

function detailSection(run: Json): Section {
  const members = [
    'environment',
    'options',
    'events',
    'errors',
    'rejections',
    'generator',
    'visitors',
    'load',
    'network',
    'sentTo',
  ];
  const blocks = members.flatMap((member): Table[] => {
    const rows = memberRows(run[member], member);
    if (rows.length === 0) return [];
    return [{ kind: 'table', id: fragment('detail', member), columns: [member, 'value'], rows }];
  });
  return { id: 'details', title: 'Environment and options', about: 'As run.json has it.', blocks };
}
