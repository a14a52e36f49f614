import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { askRun } from './control-socket.ts';
import { lives, makeHome, Program, until } from './program.testing.ts';

let home: ReturnType<typeof makeHome>;

beforeEach(() => {
  home = makeHome();
});

afterEach(() => home.remove());

const run = (...args: string[]): Program => new Program(args, home.path);
const state = (): string => join(home.path, '.crowdbeat');

async function untilLive(): Promise<void> {
  let text = '';
  const ask = async (): Promise<void> => {
    text = (await askRun(state(), { command: 'status' }))?.text ?? '';
  };
  for (let tries = 0; tries < 300 && !text.startsWith('a run is live'); tries++) {
    await ask();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  expect(text).toMatch(/^a run is live with /);
}

test('a live run takes visitors, sends some home, and ends, all from other terminals; the ledger knows them all', async () => {
  const live = run('sim', '20', '--duration', '60s', '--heartbeat', '500ms');
  await untilLive();
  const added = await Promise.all([run('sim', '15').ended, run('sim', '5').ended]);
  expect(added.map(({ code }) => code)).toEqual([0, 0]);
  expect(added.map(({ stdout }) => stdout).join('')).toMatch(/5 visitors more/);
  await until(
    'forty logs',
    () => existsSync(join(home.path, 'logs')) && readdirSync(join(home.path, 'logs')).length === 40,
  );
  const home10 = await run('stop', '10').ended;
  expect(home10).toMatchObject({ code: 0, stdout: 'crowdbeat: 10 visitors go home, 30 places stay\n' });
  const leaving = join(home.path, 'logs', 'client-00040.log');
  await until('the newest visitor left', () => /Z leaves /.test(readFileSync(leaving, 'utf8')));
  const stopped = await run('stop').ended;
  expect(stopped.stdout).toMatch(/ending the run.*\n.*the run has ended; results in /);
  expect(stopped.code).toBe(0);
  const { code, stdout } = await live.ended;
  expect(stdout).toMatch(/A crowd of 40 visitors/);
  expect(stdout).toMatch(/Audit {6}ok/);
  expect(code).toBe(0);
  const [runId = ''] = readdirSync(join(home.path, 'results'));
  const result = JSON.parse(readFileSync(join(home.path, 'results', runId, 'run.json'), 'utf8'));
  expect(result.visitors).toMatchObject({ asked: 40, peak: 40 });
  expect(result.visitors.ended).toBe(result.visitors.started);
});

test('with no run, stop says so and exits 0', async () => {
  expect(await run('stop').ended).toMatchObject({ code: 0, stdout: 'crowdbeat: no run is live\n' });
  expect(await run('stop', '5').ended).toMatchObject({ code: 0, stdout: 'crowdbeat: no run is live\n' });
});

test('a detached run goes on without its terminal, and stopSim ends it', async () => {
  const { code, stdout } = await run('sim', '10', '--duration', '60s', '--detach').ended;
  expect(code).toBe(0);
  const [, pid = '0'] =
    /a run is live with 10 visitors \(process (\d+)\); watch: tail -f /.exec(stdout) ?? [];
  expect(lives(Number(pid))).toBe(true);
  expect((await run('stop').ended).code).toBe(0);
  await until('the run is gone', () => !lives(Number(pid)));
  expect(readFileSync(join(state(), 'run.log'), 'utf8')).toMatch(/Audit {6}ok/);
});

test('a detached run that can’t start says why and gives its exit code', async () => {
  const { code, stdout, stderr } = await run('sim', '10', '--detach', '--redis', 'redis://127.0.0.1:9').ended;
  expect(stdout + stderr).toMatch(/Redis .*127\.0\.0\.1:9/);
  expect(code).toBe(1);
});

test('options can’t change a run that is live, and say so', async () => {
  const live = run('sim', '5', '--duration', '60s');
  await untilLive();
  const { code, stderr } = await run('sim', '5', '--seed', '9').ended;
  expect(stderr).toMatch(/a run is live with 5 visitors, which seed can't change/);
  expect(code).toBe(1);
  expect((await run('stop', '7x').ended).stderr).toMatch(
    /stop: needs a whole number from 1 to 1000000, got "7x"/,
  );
  live.child.kill('SIGINT');
  expect((await live.ended).code).toBe(0);
});
