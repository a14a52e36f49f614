import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { buildHashOf } from '../../server/base/build-hash.ts';
import { areIdentical, buildOfHealth, commitOf, describeArm, workloadHashOf } from './build-identity.ts';
import { envClassOf, type MachineSources, readEnvironment, thisMachine } from './environment.ts';
import { hostBetween, readHostCounters } from './host-counters.ts';
import { armB, sampleSession } from './session.testing.ts';
import { environmentShape } from './session.ts';
import { recordAt } from './shape.ts';

const redis = { name: 'redis', version: '7.0.15' };

const stat = (steal: number, ctxt: number): string =>
  `cpu  100 0 50 800 0 0 0 ${steal} 0 0\ncpu0 50 0 25 400 0 0 0 0 0 0\nctxt ${ctxt}\nbtime 1\n`;

function machineWith(
  files: Readonly<Record<string, string>>,
  changes: Partial<MachineSources> = {},
): MachineSources {
  return {
    read: (path) => files[path],
    exists: (path) => Object.hasOwn(files, path),
    env: {},
    os: {
      ...{ arch: 'x64', platform: 'linux', cpuModel: 'Some CPU', nproc: 2, memoryBytes: 8 * 2 ** 30 },
      ...{ kernel: '6.1.0-18', hostname: 'bench', uptimeS: 10, load1: 0.5 },
    },
    node: { node: '20.19.0', v8: '11.3' },
    ...changes,
  };
}

test('everything a machine tells is in its description', () => {
  const files = {
    '/proc/stat': stat(50, 0),
    '/proc/cpuinfo': 'flags\t\t: fpu hypervisor sse\n',
    '/sys/class/dmi/id/product_name': 'KVM\n',
    '/.dockerenv': '',
    '/sys/fs/cgroup/cpu.max': '150000 100000\n',
    '/sys/fs/cgroup/memory.max': 'max\n',
    '/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor': 'performance\n',
    '/sys/devices/system/cpu/intel_pstate/no_turbo': '1\n',
    '/sys/devices/system/cpu/smt/active': '0\n',
    '/sys/kernel/mm/transparent_hugepage/enabled': 'always [madvise] never\n',
    '/proc/sys/kernel/randomize_va_space': '2\n',
    '/sys/devices/system/clocksource/clocksource0/current_clocksource': 'tsc\n',
  };
  const env = { GITHUB_ACTIONS: 'true', ImageOS: 'ubuntu24', RUNNER_ENVIRONMENT: 'github-hosted' };
  expect(readEnvironment(machineWith(files, { env }), redis)).toMatchObject({
    ...{ memMiB: 8192, virt: 'KVM', container: 'docker', cgroup: { cpuQuota: 1.5, memMax: null } },
    ...{ governor: 'performance', turbo: false, smt: false, thp: 'madvise', aslr: 2, clockSource: 'tsc' },
    ...{ runnerLabel: 'github-hosted-ubuntu24', observed: { hostname: 'bench', load1: 0.5, stealPct: 5 } },
  });
});

test('what a machine does not tell is null, and never a guess', () => {
  expect(readEnvironment(machineWith({}), redis)).toMatchObject({
    ...{
      virt: 'none',
      container: null,
      cgroup: { cpuQuota: null, memMax: null },
      governor: null,
      turbo: null,
    },
    ...{
      thp: null,
      aslr: null,
      clockSource: null,
      pmu: null,
      runnerLabel: null,
      observed: { stealPct: null },
    },
  });
});

test('a version 1 control group without limits has none', () => {
  const files = {
    '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '-1\n',
    '/sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n',
    '/sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712\n',
  };
  expect(readEnvironment(machineWith(files), redis).cgroup).toEqual({ cpuQuota: null, memMax: null });
});

test('this machine has a description that keeps the schema', () => {
  const here = readEnvironment(thisMachine(), redis);
  expect(environmentShape(here, recordAt('here', true))).toEqual(here);
});

test('the class of a machine changes with what changes figures, and with nothing else', () => {
  const facts = sampleSession().env;
  const known = envClassOf(facts);
  const sameClass = [
    { kernel: '6.1.9' },
    { node: '20.20.1' },
    { memMiB: 7950 },
    { v8: '12' },
    { clockSource: 'hpet' },
  ];
  for (const change of sameClass) expect(envClassOf({ ...facts, ...change })).toBe(known);
  const others = [
    ...[{ kernel: '6.2.0' }, { node: '22.1.0' }, { memMiB: 16_000 }, { cpuModel: 'Other' }, { nproc: 4 }],
    ...[{ governor: 'powersave' }, { thp: 'always' }, { aslr: 0 }, { runnerLabel: 'x' }, { arch: 'arm64' }],
    ...[
      { virt: 'none' },
      { server: { name: 'redis', version: '7.2' } },
      { cgroup: { cpuQuota: 1, memMax: null } },
    ],
  ];
  const classes = others.map((change) => envClassOf({ ...facts, ...change }));
  expect(new Set([known, ...classes]).size).toBe(others.length + 1);
});

test('a trial knows what the machine did meanwhile', () => {
  const at = (steal: number, ctxt: number, swapped: number, throttled: number) =>
    readHostCounters(
      machineWith({
        '/proc/stat': stat(steal, ctxt),
        '/proc/vmstat': `pgpgin 5\npswpin ${swapped}\n`,
        '/sys/fs/cgroup/cpu.stat': `nr_periods 9\nnr_throttled ${throttled}\n`,
      }).read,
    );
  expect(hostBetween(at(50, 1000, 3, 7), at(150, 41_000, 5, 8), 20)).toEqual({
    ...{ stealPct: 100, ctxtPerS: 2000, throttled: 1, swapIn: 2 },
  });
  expect(hostBetween(undefined, at(1, 1, 1, 1), 20).stealPct).toBeNull();
});

let directory = '';

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'crowdbeat-build-'));
});

afterEach(() => rmSync(directory, { recursive: true }));

function writeProgram(path: string, text: string): void {
  mkdirSync(join(directory, path, '..'), { recursive: true });
  writeFileSync(join(directory, path), text);
}

test('a build has a hash that every program and the packages change, and tests do not', () => {
  expect(buildHashOf(directory)).toBeUndefined();
  writeProgram('server/main/a.js', 'one');
  writeProgram('server/store/commit.lua', 'two');
  const hashes = [buildHashOf(directory)];
  writeProgram('server/main/a.test.ts', 'a test');
  writeProgram('server/main/a.js.map', 'a map');
  expect(buildHashOf(directory)).toBe(hashes[0]);
  writeProgram('server/store/commit.lua', 'too');
  hashes.push(buildHashOf(directory));
  writeProgram('package-lock.json', '{}');
  hashes.push(buildHashOf(directory));
  writeProgram('server/main/b.js', 'three');
  hashes.push(buildHashOf(directory));
  expect(new Set(hashes).size).toBe(4);
  expect(hashes[0]).toMatch(/^sha256:[0-9a-f]{64}$/);
});

test('a commit is known by git, with a mark if the tree was changed; outside git it is null', () => {
  expect(commitOf(directory)).toEqual({ sha: null, dirty: null });
  const git = (...args: string[]): string =>
    execFileSync('git', ['-C', directory, '-c', 'user.name=t', '-c', 'user.email=t@localhost', ...args], {
      encoding: 'utf8',
    });
  writeProgram('a.txt', 'one');
  git('init', '-q');
  git('add', '.');
  git('commit', '-qm', 'first');
  const sha = git('rev-parse', 'HEAD').trim();
  expect(commitOf(directory)).toEqual({ sha, dirty: false });
  git('checkout', '-q', '--detach');
  writeProgram('a.txt', 'two');
  expect(commitOf(directory)).toEqual({ sha, dirty: true });
});

test('an arm is what its running server says, and what its files say if that says nothing', () => {
  writeProgram('dist/server/main/a.js', 'one');
  const options = { directory, built: join(directory, 'dist'), cmd: ['serve'], mergeBase: false };
  const silent = describeArm({ ...options, config: {}, health: { collector: { version: '0.1.0' } } });
  expect([silent.version, silent.buildHash]).toEqual(['0.1.0', buildHashOf(join(directory, 'dist'))]);
  const health = { collector: { version: '0.1.0', build: 'sha256:told' }, redis: { version: '7.0.15' } };
  expect(describeArm({ ...options, config: {}, health }).buildHash).toBe('sha256:told');
  expect(buildOfHealth(health).redis).toBe('7.0.15');
  expect(buildOfHealth('no object')).toEqual({ buildHash: null, version: null, redis: null });
  const delayed = describeArm({ ...options, config: { delay: 'query=20%' }, health });
  expect(areIdentical(describeArm({ ...options, config: {}, health }), delayed)).toBe(false);
});

test('builds are identical only if both are known and started alike', () => {
  expect(areIdentical(armB, armB)).toBe(true);
  expect(areIdentical(armB, { ...armB, buildHash: 'sha256:other' })).toBe(false);
  expect(areIdentical({ ...armB, buildHash: null }, { ...armB, buildHash: null })).toBe(false);
});

test('a workload is the same if scenario, seed, data and the generator, but for its last digit, are', () => {
  const workload = { scenarioHash: 's', datasetHash: 'd', generatorVersion: '0.1.0' };
  const known = workloadHashOf(workload, 1);
  expect(workloadHashOf({ ...workload, generatorVersion: '0.1.7' }, 1)).toBe(known);
  const others = [
    workloadHashOf(workload, 2),
    workloadHashOf({ ...workload, scenarioHash: 'x' }, 1),
    workloadHashOf({ ...workload, datasetHash: 'x' }, 1),
    workloadHashOf({ ...workload, generatorVersion: '0.2.0' }, 1),
  ];
  expect(new Set([known, ...others]).size).toBe(5);
});
