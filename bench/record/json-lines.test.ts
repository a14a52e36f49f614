import { appendFileSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { appendLine, readLines } from './json-lines.ts';
import { sampleTrial } from './session.testing.ts';
import { trialShape } from './trial.ts';

let directory = '';
let path = '';

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'crowdbeat-lines-'));
  path = join(directory, 'trials.jsonl');
});

afterEach(() => rmSync(directory, { recursive: true }));

const trials = [sampleTrial(1, 'B', 800), sampleTrial(1, 'C', 810), sampleTrial(2, 'C', 790)] as const;

test('records come back in the order in which they were added', () => {
  for (const trial of trials) appendLine(path, trialShape, trial);
  expect(readLines(path, trialShape)).toEqual({ records: trials, notes: [] });
});

test('a file that is not there has no lines', () => {
  expect(readLines(path, trialShape)).toEqual({ records: [], notes: [] });
});

test('wherever the last line was torn, the others are read, the loss is said, and the next one is whole', () => {
  appendLine(path, trialShape, trials[0]);
  const oneLine = readFileSync(path).length;
  appendLine(path, trialShape, trials[1]);
  const whole = readFileSync(path);
  // Every 97th byte, and both ends: the first byte alone, and all but the line end.
  const cuts = Array.from({ length: whole.length - oneLine }, (_, at) => oneLine + at + 1);
  for (const cut of cuts.filter((at, index) => index % 97 === 0 || at === whole.length - 1)) {
    if (cut === whole.length) continue;
    writeFileSync(path, whole);
    truncateSync(path, cut);
    const torn = readLines(path, trialShape);
    expect(torn.records).toEqual([trials[0]]);
    expect(torn.notes).toEqual([`${path}:2: the last line is torn and was passed over`]);
    appendLine(path, trialShape, trials[2]);
    const after = readLines(path, trialShape);
    expect(after.records).toEqual([trials[0], trials[2]]);
    expect(after.notes).toEqual([`${path}:2: a torn line was passed over`]);
  }
});

test('a spoilt line in the middle is an error and not a loss in silence', () => {
  appendLine(path, trialShape, trials[0]);
  appendFileSync(path, '{"schema":"crowdbeat.bench-tri\n');
  appendLine(path, trialShape, trials[1]);
  expect(() => readLines(path, trialShape)).toThrow(`${path}:2: the record: needs JSON`);
});

test('a record that does not keep its shape never reaches the file', () => {
  appendLine(path, trialShape, trials[0]);
  const before = readFileSync(path);
  expect(() => appendLine(path, trialShape, { ...trials[1], pair: 1.5 })).toThrow(
    'pair: needs a whole number',
  );
  expect(readFileSync(path)).toEqual(before);
});

test('a full disk and a missing directory are errors that name the file', () => {
  expect(() => appendLine('/dev/full', trialShape, trials[0])).toThrow(
    /^\/dev\/full: can't be added to: .*(?:ENOSPC|EINVAL)/,
  );
  const nowhere = join(directory, 'gone', 'trials.jsonl');
  expect(() => appendLine(nowhere, trialShape, trials[0])).toThrow(`${nowhere}: can't be added to: ENOENT`);
});
