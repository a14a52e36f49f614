import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeHome, Program } from './program.testing.ts';

let home: ReturnType<typeof makeHome>;

beforeEach(() => {
  home = makeHome();
});

afterEach(() => home.remove());

const crowdbeat = (...args: string[]) => new Program(args, home.path).ended;

test('a run’s audit is repeated by its id, on a collector of our own; a missed objective exits 21', async () => {
  const run = await crowdbeat('sim', '10', '--duration', '1s', '--slo', 'view.p99<0.0001ms,error<0.1%');
  expect(run.stdout).toMatch(/Objectives MISSED view\.p99<0\.0001ms: /);
  expect(run.stdout).toMatch(/ {11}met {4}error<0\.1%: 0 %/);
  expect(run.stdout).toMatch(/Freshness {2}in an answer/);
  expect(run.code).toBe(21);
  const [runId = ''] = readdirSync(join(home.path, 'results'));
  const json = join(home.path, 'audit.json');
  const audit = await crowdbeat('audit', runId, '--json', json);
  expect(audit.stderr).toBe('');
  expect(audit.stdout).toContain(`Run        ${runId}\nAudit      ok: `);
  expect(audit.code).toBe(0);
  expect(JSON.parse(readFileSync(json, 'utf8'))).toMatchObject({ runId, since: [], report: { ok: true } });
});

test('a run that is not there, and an objective that is none, are named', async () => {
  const { code, stderr } = await crowdbeat('audit', '20260101T000000Z-000000');
  expect(code).toBe(1);
  expect(stderr).toContain('audit: needs a run with results in ');
  const slo = await crowdbeat('sim', '1', '--slo', 'p99=3');
  expect(slo.code).toBe(1);
  expect(slo.stderr).toContain(`--slo: needs objectives such as 'view.p99<50ms,error<0.1%'`);
});

test('the doctor says what kind of machine this is, and keeps its figures for runs', async () => {
  const { code, stdout } = await crowdbeat('doctor');
  expect(code).toBe(0);
  expect(stdout).toMatch(/^This machine is (quiet|moderate|noisy)/);
  expect(stdout).toMatch(/requests a second by one thread against a null server/);
  const figures = JSON.parse(readFileSync(join(home.path, '.crowdbeat', 'doctor.json'), 'utf8'));
  expect(figures).toMatchObject({ schema: 'crowdbeat.doctor/1' });
  expect(figures.loopback.requestsPerSecond).toBeGreaterThan(100);
});
