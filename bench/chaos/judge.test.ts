import { expect, test } from 'vitest';
import type { RunResult } from '../../sim/run/index.ts';
import type { CrowdEnd } from './crowd-child.ts';
import { type Expectation, type Fault, fullScale } from './fault.ts';
import { judge } from './judge.ts';

const fault = (expects: Expectation): Fault => ({
  name: 'x',
  does: () => 'nothing',
  fsync: 'everysec',
  collectors: 1,
  front: false,
  expects,
  outageMs: () => 2000,
  strike: () => Promise.resolve(),
});

const counts = { planned: 100, acked: 100, rejected: 0, failed: 0, dropped: 0, unknown: 0 };

/** A run of 100 heartbeats through an outage of 2 s, of which all is well but what is given. */
function ended(changes: Record<string, unknown> = {}, code = 0): CrowdEnd {
  const result = {
    end: 'ended',
    durationMs: 30_000,
    events: { ...counts, byType: { heartbeat: { acked: 100 } } },
    latencyMs: { response: { max: 2100 } },
    audit: { ok: true, reasons: [] },
    notes: [],
    ...changes,
  };
  return { code, result: result as unknown as RunResult, output: '' };
}

const stored = (heartbeat: number) => ({
  byType: { heartbeat },
  bots: {},
  sessions: 1,
  documents: heartbeat,
});
const verdict = (expects: Expectation, end: CrowdEnd, documents = 100): string[] =>
  judge(fault(expects), fullScale, end, stored(documents));

const lossNamed = {
  ok: false,
  reasons: [
    'events heartbeat: 97 counted, 100 expected (3 missing)',
    'visitors heartbeat 2026-11-21-12-00: 9 counted, 10 expected (1 missing)',
  ],
};

test('a run as it should be has no problems', () => {
  expect(verdict('exact', ended())).toEqual([]);
  expect(verdict('named', ended())).toEqual([]);
  expect(verdict('named', ended({ audit: lossNamed }, 23), 97)).toEqual([]);
  expect(verdict('loss', ended({ audit: lossNamed }, 23), 97)).toEqual([]);
  expect(verdict('emptied', ended({ audit: lossNamed }, 23), 10)).toEqual([]);
  const gone = { end: 'gave up', durationMs: 18_500, notes: ['gave up: nobody'], audit: lossNamed };
  expect(verdict('gone', ended(gone, 23), 97)).toEqual([]);
});

test('an audit that is content while documents are missing is found out', () => {
  expect(verdict('exact', ended(), 99)).toEqual(['1 documents are missing']);
  for (const expects of ['named', 'loss'] as const)
    expect(verdict(expects, ended(), 99)).toContain('the audit is content though data are missing');
  expect(verdict('emptied', ended(), 0)).toContain('the audit is content though data are missing');
});

test('a loss must be named by its type and count, and by a minute where whole visitors are gone', () => {
  const vague = { ok: false, reasons: ['something is missing'] };
  expect(verdict('loss', ended({ audit: vague }, 23), 97)).toEqual([
    'the audit does not say "events heartbeat: 97 counted, 100 expected (3 missing)"',
    'the audit names no minute',
  ]);
  expect(verdict('loss', ended())).toEqual(['nothing was lost: the fault did not work']);
});

test('something counted twice is not excused by a loss', () => {
  const twice = {
    ok: false,
    reasons: [...lossNamed.reasons, 'sessions: 5 counted, 4 expected (1 too many)'],
  };
  expect(verdict('named', ended({ audit: twice }, 23), 97)).toEqual([
    'sessions: 5 counted, 4 expected (1 too many)',
  ]);
});

test('each other thing that can be wrong is named', () => {
  expect(verdict('exact', ended({}, 23))).toEqual(['exit code 23 in place of 0']);
  expect(verdict('exact', ended({ latencyMs: { response: { max: 1500 } } }))).toEqual([
    'response max was 1500 ms and hides an outage of 2000 ms',
  ]);
  const lost = { ...counts, acked: 98, unknown: 2, byType: { heartbeat: { acked: 98 } } };
  expect(verdict('exact', ended({ events: lost }), 98)).toEqual([
    '98 of 100 events acknowledged: 0 rejected, 0 failed, 0 dropped, 2 unknown',
  ]);
  expect(
    judge(fault('exact'), fullScale, { code: 1, result: undefined, output: 'no such file' }, undefined),
  ).toEqual(['no result, exit code 1: no such file']);
});

test('a run that should have given up and went on, or took too long, is found out', () => {
  expect(verdict('gone', ended({ audit: lossNamed }, 23))).toEqual([
    'the run ended (exit code 23)',
    `gave up after 30000 ms, more than 23000`,
    'no note says why it ended',
  ]);
});
