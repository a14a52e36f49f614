import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseRecord, recordLine } from './schema.ts';
import { sampleSession, sampleTrial } from './session.testing.ts';
import { type Session, sessionShape } from './session.ts';
import { type Trial, trialShape } from './trial.ts';

type Path = readonly (string | number)[];

/** The record with one member replaced, or taken away if `value` is undefined. */
function withMember(record: unknown, path: Path, value: unknown): unknown {
  const copy: unknown = JSON.parse(JSON.stringify(record));
  let at = copy as Record<string, unknown>;
  for (const name of path.slice(0, -1)) at = at[name] as Record<string, unknown>;
  at[path.at(-1) as string] = value;
  return JSON.parse(JSON.stringify(copy));
}

const trial = sampleTrial(3, 'C', 812);
const readTrial = (value: unknown): Trial =>
  parseRecord(trialShape, JSON.stringify(value), 'trials.jsonl', 7);
const readSession = (value: unknown): Session =>
  parseRecord(sessionShape, JSON.stringify(value), 'session.json');

test('a whole trial and a whole session are read as they were written', () => {
  expect(readTrial(JSON.parse(recordLine(trialShape, trial, 'trials.jsonl')))).toEqual(trial);
  const session = sampleSession();
  expect(readSession(JSON.parse(recordLine(sessionShape, session, 'session.json')))).toEqual(session);
});

test.each<[Path, unknown, string]>([
  [
    ['ops', 'view', 'response', 'p50'],
    '812',
    'ops.view.response.p50: needs a number of 0 or more, got "812"',
  ],
  [['rate', 'sent'], 1.5, 'rate.sent: needs a whole number of 0 or more, got 1.5'],
  [['rate', 'sent'], undefined, 'rate.sent: needs a whole number of 0 or more, got nothing'],
  [['generator', 'elu'], 1.2, 'generator.elu: needs a number from 0 to 1, got 1.2'],
  [['arm'], 'D', 'arm: needs one of B, C, got "D"'],
  [['trialId'], '../up', 'trialId: needs a name of letters, digits, "_", "-" and ".", got "../up"'],
  [
    ['t0'],
    '2026-13-40T00:00:00Z',
    't0: needs an instant such as 2026-11-21T17:33:20.250Z, got "2026-13-40T00:00:00Z"',
  ],
  [['reasons'], 'none', 'reasons: needs a list, got "none"'],
  [['host'], null, 'host: needs an object, got null'],
  [['slot'], 2, 'slot: needs 0 or 1, got 2'],
  [['valid'], false, 'valid: needs true if and only if there are no reasons, got false'],
  [
    ['ops', 'view', 'service', 'p90'],
    5,
    'ops.view.service.p90: needs a value from 730.8 to the maximum 14616, got 5',
  ],
  [
    ['ops', 'view', 'response', 'n'],
    2000,
    'ops.view.response.p999: needs null: of 2000 samples fewer than 10 lie beyond it, got 7308',
  ],
])('a trial whose %j is %j is refused with file, line, field, rule and value', (path, value, message) => {
  expect(() => readTrial(withMember(trial, path, value))).toThrow(`trials.jsonl:7: ${message}`);
});

test('a list names the entry at fault, and a long value is cut', () => {
  const session = withMember(sampleSession(), ['plan', 'order', 3], 'BB'.repeat(100));
  expect(() => readSession(session)).toThrow(
    /^session\.json: plan\.order\[3\]: needs one of BC, CB, B, got "BBB.*… \(202 characters\)$/,
  );
});

test('text that is no JSON is an error that names the place', () => {
  expect(() => parseRecord(trialShape, '{"schema":', 'trials.jsonl', 2)).toThrow(
    'trials.jsonl:2: the record: needs JSON',
  );
});

test('a member that nobody knows is refused when written and passed over when read', () => {
  const strange = { ...trial, colour: 'red' };
  expect(() => recordLine(trialShape, strange, 'trials.jsonl')).toThrow(
    'trials.jsonl: colour: needs no such member, got "red"',
  );
  expect(readTrial(strange)).toEqual(trial);
});

test('another version of a record is an error of its own, anything else in its place an ordinary one', () => {
  const ofVersion = (schema: unknown) => () => readTrial({ ...trial, schema });
  expect(ofVersion('crowdbeat.bench-trial/2')).toThrow(
    expect.objectContaining({
      code: 'CB_RECORD_VERSION',
      message: expect.stringContaining('is crowdbeat.bench-trial/2'),
    }),
  );
  expect(ofVersion('crowdbeat.run/1')).toThrow(expect.objectContaining({ code: 'CB_RECORD' }));
  expect(ofVersion(undefined)).toThrow(expect.objectContaining({ code: 'CB_RECORD' }));
});

test('whatever JSON stands in a line, reading it gives a trial or an operating error', () => {
  const property = fc.property(fc.jsonValue(), (value) => {
    expect(() => readTrial(value)).toThrow(expect.objectContaining({ name: 'CrowdbeatError' }));
  });
  fc.assert(property, { seed: 5, numRuns: 200 });
});

test('whichever member of a trial goes missing, it is named', () => {
  for (const name of Object.keys(trial)) {
    const without = Object.fromEntries(Object.entries(trial).filter(([member]) => member !== name));
    expect(() => readTrial(without)).toThrow(`trials.jsonl:7: ${name}: needs`);
  }
});
