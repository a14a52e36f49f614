import { spawn } from 'node:child_process';
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { decodeHistogram } from './histogram-codec.ts';
import { readIntervalLog } from './interval-log.ts';
import { BenchPlaces, newSessionId, placesIn, trialIdOf } from './places.ts';
import { type Baseline, baselineSchema, baselineShape } from './pointers.ts';
import { sampleSession, sampleTrial } from './session.testing.ts';
import { type IndexEntry, indexSchema } from './session.ts';
import { readIndex, readSession, SessionWriter } from './session-files.ts';
import { readRecord, writeRecord } from './whole-file.ts';

/** A child of its own runs what the build made. */
const built = join(import.meta.dirname, '../../dist/bench/record');

let directory = '';
let places: BenchPlaces;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'crowdbeat-session-'));
  places = new BenchPlaces(directory);
});

afterEach(() => rmSync(directory, { recursive: true }));

const begun = sampleSession({ endedAt: null });
const ending = {
  endedAt: '2026-11-21T19:00:09.000Z',
  guards: { invalidTrials: 0, reasons: [] },
  verdict: 'SAME',
} as const;
const trials = [1, 2].flatMap((pair) => [sampleTrial(pair, 'B', 800), sampleTrial(pair, 'C', 810)]);

function entry(changes: Partial<IndexEntry> = {}): IndexEntry {
  const { id, startedAt, kind } = begun;
  return {
    ...{ schema: indexSchema, id, startedAt, kind, shas: ['1a2b', '9f8e'], envClass: 'a', workloadHash: 'w' },
    ...{ verdict: 'SAME', medians: { 'view.p50.response': 805 }, notReproduced: [] },
    ...changes,
  };
}

test('a session that ended is read back whole and stands in the index', () => {
  const writer = new SessionWriter(places, begun);
  for (const trial of trials) writer.add(trial);
  writer.end(ending, entry());
  expect(readSession(writer.places.directory)).toEqual({
    session: { ...begun, ...ending },
    trials,
    notes: [],
  });
  expect(readIndex(places)).toEqual({ entries: [entry()], notes: [] });
  expect(readdirSync(writer.places.directory).sort()).toEqual(['hlog', 'session.json', 'trials.jsonl']);
});

test('a session is never written over', () => {
  const writer = new SessionWriter(places, begun);
  writer.add(trials[0]!);
  expect(() => new SessionWriter(places, begun)).toThrow('there is a session of this name');
  expect(readSession(writer.places.directory).trials).toHaveLength(1);
});

test('a bench that is killed leaves every finished trial, and says that it never ended', async () => {
  const program = `
    import { BenchPlaces } from ${JSON.stringify(join(built, 'places.js'))};
    import { SessionWriter } from ${JSON.stringify(join(built, 'session-files.js'))};
    const [session, ...trials] = ${JSON.stringify([begun, ...trials])};
    const writer = new SessionWriter(new BenchPlaces(${JSON.stringify(directory)}), session);
    for (const trial of trials.slice(0, 3)) writer.add(trial);
    process.kill(process.pid, 'SIGKILL');`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program]);
  const signal = await new Promise((resolve) => child.once('close', (_code, by) => resolve(by)));
  expect(signal).toBe('SIGKILL');
  const left = readSession(places.session(begun.id).directory);
  expect(left.trials).toEqual(trials.slice(0, 3));
  expect(left.notes).toEqual([
    expect.stringContaining('the session never ended; its finished trials are used'),
  ]);
});

test('a trial that comes twice, or of a pair that was not planned, is an error', () => {
  const writer = new SessionWriter(places, begun);
  writer.add(trials[0]!);
  const { directory: at, trials: file } = writer.places;
  writer.add({ ...trials[0]!, trialId: 'again' });
  expect(() => readSession(at)).toThrow(
    'trial again: needs to be the only one of its pair and arm, got pair 1, arm B again',
  );
  writeFileSync(file, '');
  writer.add(sampleTrial(13, 'B', 800));
  expect(() => readSession(at)).toThrow('trial p13-B: needs a pair from 1 to 12, as planned, got 13');
});

test('a directory without a session is an error that names the file', () => {
  expect(() => readSession(directory)).toThrow(`${join(directory, 'session.json')}: can't be read: ENOENT`);
});

test('the index is sorted by time whatever the order of its lines, and a torn line costs itself alone', () => {
  const later = entry({ id: 'later', startedAt: '2026-11-22T00:00:00.000Z' });
  for (const one of [later, entry()]) {
    const writer = new SessionWriter(places, { ...begun, id: one.id });
    writer.end(ending, one);
  }
  appendFileSync(places.index, '{"schema":"crowdbeat.bench-in');
  const { entries, notes } = readIndex(places);
  expect(entries.map(({ id }) => id)).toEqual([begun.id, 'later']);
  expect(notes).toHaveLength(1);
});

test('the kept records of version 1 are read as they were written', () => {
  const { session, trials: kept, notes } = readSession(join(import.meta.dirname, 'fixtures/v1'));
  expect([session.schema, session.kind, session.verdict]).toEqual([
    'crowdbeat.bench-session/1',
    'compare',
    'SAME',
  ]);
  expect(session.plan.order).toEqual(['BC', 'CB']);
  expect(kept.map(({ trialId, arm }) => [trialId, arm])).toEqual([
    ['p01-B', 'B'],
    ['p01-C', 'C'],
    ['p02-C', 'C'],
    ['p02-B', 'B'],
  ]);
  expect(notes).toEqual([]);
  const { response } = kept[0]!.ops['view']!;
  expect(decodeHistogram(response.hdr!, 'kept').total).toBe(response.n);
  const log = readIntervalLog(placesIn(join(import.meta.dirname, 'fixtures/v1')).hlog('p01-B'));
  expect(log.intervals.filter(({ tag }) => tag === '')).toHaveLength(2);
});

test('a baseline is replaced whole, and leaves no other file', () => {
  const path = places.baseline('main');
  const baseline: Baseline = {
    ...{ schema: baselineSchema, sessionId: begun.id, sha: null, envClass: 'a', workloadHash: 'w' },
    setAt: '2026-11-21T19:00:09.000Z',
  };
  writeRecord(path, baselineShape, baseline);
  writeRecord(path, baselineShape, { ...baseline, sha: '9f8e' });
  expect(readRecord(path, baselineShape)).toEqual({ ...baseline, sha: '9f8e' });
  expect(readdirSync(join(places.root, 'baselines'))).toEqual(['main.json']);
  expect(() => writeRecord(path, baselineShape, { ...baseline, setAt: 'today' })).toThrow(
    'setAt: needs an instant',
  );
  expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({ sha: '9f8e' });
});

test('names of sessions sort by time and say what was measured', () => {
  const id = newSessionId(Date.UTC(2026, 10, 21, 18, 46, 9), '1a2b3c4d5e6f');
  expect(id).toMatch(/^20261121T184609Z-1a2b3c4-[0-9a-f]{4}$/);
  expect(newSessionId(0, null)).toMatch(/^19700101T000000Z-nogit-/);
  expect(trialIdOf(3, 'C')).toBe('p03-C');
});
