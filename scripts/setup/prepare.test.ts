/** The shell doors, in a tiny stand-in repository that installs one local package and "builds" by copying. */
import { type ExecFileException, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { systemClock } from '../../server/base/clock.ts';

const scripts = resolve(import.meta.dirname, '..');

let place: string;
let root: string;

const standInBuild = `
import { appendFileSync, copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
appendFileSync('builds', 'x');
if (readFileSync('server/a.ts', 'utf8').includes('broken')) { console.error('server/a.ts is broken'); process.exit(2); }
if (readFileSync('server/a.ts', 'utf8').includes('slow')) await new Promise((done) => setTimeout(done, 120_000));
mkdirSync('dist/scripts', { recursive: true });
copyFileSync('scripts/crowdbeat.ts', 'dist/scripts/crowdbeat.js');
writeFileSync('dist/.built', '');
`;

beforeEach(() => {
  place = realpathSync(mkdtempSync(join(tmpdir(), 'crowdbeat-setup-')));
  root = join(place, 'my crowdbeat');
  for (const folder of ['server', 'sim', 'bench', 'scripts/setup', 'vendor/x'])
    mkdirSync(join(root, folder), { recursive: true });
  for (const name of ['runSim', 'stopSim', 'crowdbeat', 'setup/prepare.sh'])
    cpSync(join(scripts, name), join(root, 'scripts', name));
  write('scripts/crowdbeat.ts', 'console.log(JSON.stringify([process.cwd(), ...process.argv.slice(2)]));');
  write('server/a.ts', 'fine');
  write('build.mjs', standInBuild);
  write('vendor/x/package.json', '{ "name": "x", "version": "1.0.0" }');
  const dependencies = { x: 'file:vendor/x' };
  const manifest = { name: 'standin', version: '1.0.0', type: 'module', dependencies };
  write('package.json', JSON.stringify({ ...manifest, scripts: { build: 'node build.mjs' } }));
  const packages = {
    '': manifest,
    'node_modules/x': { resolved: 'vendor/x', link: true },
    'vendor/x': { name: 'x', version: '1.0.0' },
  };
  write(
    'package-lock.json',
    JSON.stringify({ name: 'standin', version: '1.0.0', lockfileVersion: 3, packages }),
  );
  for (const name of ['tsconfig.json', 'tsconfig.build.json']) write(name, '{}');
});

afterEach(() => rmSync(place, { recursive: true, force: true }));

function write(path: string, text: string): void {
  writeFileSync(join(root, path), text);
}

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function run(script: string, args: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Promise<Outcome> {
  // npm of the stand-in must not inherit what the npm that runs these tests has set.
  const inherited = Object.entries(process.env).filter(([name]) => !name.toLowerCase().startsWith('npm_'));
  const options = {
    cwd: place,
    env: { ...Object.fromEntries(inherited), npm_config_offline: 'true', ...env },
  };
  return new Promise((done) => {
    execFile(script, args, options, (error: ExecFileException | null, stdout, stderr) => {
      done({ code: typeof error?.code === 'number' ? error.code : error === null ? 0 : -1, stdout, stderr });
    });
  });
}

const script = (name: string): string => join(root, 'scripts', name);
const builds = (): number => readFileSync(join(root, 'builds'), 'utf8').length;

/** Makes a file newer than the build, whatever the resolution of the file system's clock. */
function touchLater(path: string): void {
  const later = new Date('2100-01-01T00:00:00Z');
  utimesSync(join(root, path), later, later);
}

it('installs and builds at first, then runs without a word, in the working directory of its caller', async () => {
  const first = await run(script('runSim'), ['5000', '--name', 'a b', '']);
  expect(first).toMatchObject({
    code: 0,
    stdout: `${JSON.stringify([place, 'sim', '5000', '--name', 'a b', ''])}\n`,
  });
  expect(first.stderr).toMatch(/installing packages \(first run\) …\n.*building …\n$/);
  expect(existsSync(join(root, 'node_modules/x/package.json'))).toBe(true);
  const second = await run(script('crowdbeat'), ['query', '*']);
  expect(second).toEqual({ code: 0, stdout: `${JSON.stringify([place, 'query', '*'])}\n`, stderr: '' });
  expect(builds()).toBe(1);
});

it('finds its repository through chains of symbolic links', async () => {
  mkdirSync(join(place, 'bin'));
  symlinkSync(script('runSim'), join(place, 'bin/far'));
  symlinkSync('far', join(place, 'bin/near'));
  expect((await run(join(place, 'bin/near'), ['7'])).stdout).toContain('"sim","7"');
});

it.each([
  ['a source changed', () => touchLater('server/a.ts')],
  ['the package changed', () => touchLater('package.json')],
  ['a source went away', () => touchLater('server')],
])('builds again, once, if %s', async (_what, change) => {
  await run(script('runSim'));
  change();
  const again = await run(script('runSim'));
  expect(again.stderr).toBe('crowdbeat: building …\n');
  expect(builds()).toBe(2);
});

it('installs again if package-lock.json changed', async () => {
  await run(script('runSim'));
  touchLater('package-lock.json');
  const again = await run(script('runSim'));
  expect(again.stderr).toContain('installing packages (package-lock.json has changed) …');
});

it('shows why a build failed, runs nothing, and builds again next time', async () => {
  write('server/a.ts', 'broken');
  const failed = await run(script('runSim'));
  expect(failed).toMatchObject({ code: 1, stdout: '' });
  expect(failed.stderr).toContain('server/a.ts is broken\n');
  expect(failed.stderr).toContain('crowdbeat: the build failed');
  expect(existsSync(join(root, '.crowdbeat/prepare.lock'))).toBe(false);
  write('server/a.ts', 'fine');
  expect((await run(script('runSim'))).stdout).toContain('"sim"');
});

it('shows what npm said if the packages cannot be installed', async () => {
  write('package-lock.json', '{ "lockfileVersion": 3, "packages": {} }');
  const failed = await run(script('runSim'));
  expect(failed).toMatchObject({ code: 1, stdout: '' });
  expect(failed.stderr).toContain('npm error');
  expect(failed.stderr).toContain('crowdbeat: installing the packages failed');
});

it('stops with the build that is there, even if the sources are broken now', async () => {
  await run(script('runSim'));
  write('server/a.ts', 'broken');
  touchLater('server/a.ts');
  expect(await run(script('stopSim'), ['--now'])).toEqual({
    code: 0,
    stdout: `${JSON.stringify([place, 'stop', '--now'])}\n`,
    stderr: '',
  });
});

it('builds once if two terminals start at the same moment', async () => {
  const outcomes = await Promise.all([
    run(script('runSim'), ['1']),
    run(script('crowdbeat'), ['2']),
    run(script('runSim'), ['3']),
  ]);
  expect(outcomes.map(({ code }) => code)).toEqual([0, 0, 0]);
  expect(builds()).toBe(1);
  expect(existsSync(join(root, '.crowdbeat/prepare.lock'))).toBe(false);
});

it('takes over the lock of a process that was killed, and of one whose id was given away', async () => {
  for (const holder of ['4194999\n\n', `${process.pid}\nMon Jan  1 00:00:00 2001\n`, undefined]) {
    mkdirSync(join(root, '.crowdbeat/prepare.lock'), { recursive: true });
    if (holder !== undefined) write('.crowdbeat/prepare.lock/holder', holder);
    touchLater('server/a.ts');
    expect(await run(script('runSim'))).toMatchObject({ code: 0 });
  }
  expect(builds()).toBe(3);
});

it('gives the lock back if Ctrl-C interrupts a build', async () => {
  write('server/a.ts', 'slow');
  const child = spawn(script('runSim'), [], {
    detached: true,
    stdio: 'ignore',
    env: { ...process.env, npm_config_offline: 'true' },
  });
  const ended = once(child, 'exit');
  const until = systemClock.monotonicMs() + 30_000;
  while (!existsSync(join(root, 'builds')) && systemClock.monotonicMs() < until)
    await new Promise((done) => setTimeout(done, 20));
  expect(existsSync(join(root, '.crowdbeat/prepare.lock/holder'))).toBe(true);
  process.kill(-(child.pid ?? 0), 'SIGINT');
  expect(await ended).toEqual([130, null]);
  expect(existsSync(join(root, '.crowdbeat/prepare.lock'))).toBe(false);
});

it('waits for the lock of a living process', async () => {
  const holder = spawn('sleep', ['2']);
  await once(holder, 'spawn');
  const ended = once(holder, 'exit');
  mkdirSync(join(root, '.crowdbeat/prepare.lock'), { recursive: true });
  const started = await run('/bin/sh', ['-c', `LC_ALL=C TZ=UTC ps -o lstart= -p ${holder.pid}`]);
  write('.crowdbeat/prepare.lock/holder', `${holder.pid}\n${started.stdout}`);
  const outcome = await run(script('runSim'));
  expect(holder.exitCode).not.toBeNull();
  await ended;
  expect(outcome.code).toBe(0);
  expect(outcome.stderr).toContain(`waiting for process ${holder.pid}, which installs or builds …`);
});

it.each([
  ['v20.19.0', true],
  ['v24.0.1', true],
  ['v20.18.3', false],
  ['v18.20.4', false],
])('with a Node.js that calls itself %s: goes on? %s', async (version, goesOn) => {
  mkdirSync(join(place, 'fake'));
  const node = join(place, 'fake/node');
  writeFileSync(
    node,
    `#!/bin/sh\n[ "$1" != --version ] || { echo ${version}; exit; }\nexec '${process.execPath}' "$@"\n`,
  );
  chmodSync(node, 0o755);
  const outcome = await run(script('runSim'), [], { PATH: `${join(place, 'fake')}:${process.env['PATH']}` });
  expect(outcome.code).toBe(goesOn ? 0 : 1);
  expect(outcome.stderr.includes(`Node.js >= 20.19 is needed, but ${node} is ${version}`)).toBe(!goesOn);
});

it('says how many file descriptors are needed where there are too few even to start', async () => {
  const run64 = `ulimit -n 64; exec "${script('runSim')}" 5`;
  const refused = await run('/bin/sh', ['-c', run64]);
  expect(refused.code).toBe(1);
  expect(refused.stderr).toMatch(/^crowdbeat: a process may have only 64 file descriptors .*ulimit -n 4096/);
  expect(existsSync(join(root, 'node_modules'))).toBe(false);
});
