/** What a machine may deny a run: room on a disk, file descriptors. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { messageOf, systemCodeOf } from '../server/base/errors.ts';
import { type Collector, startCollector } from '../server/main/collector.ts';
import { startTestRedis, type TestRedis } from '../server/store/redis.testing.ts';
import { makeHome, Program, program } from './program.testing.ts';

let home: ReturnType<typeof makeHome>;
const opened: (() => unknown)[] = [];

beforeEach(() => {
  home = makeHome();
});

afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
  home.remove();
});

async function startTarget(): Promise<string> {
  const redis: TestRedis = await startTestRedis();
  opened.push(() => redis.stop());
  const collector: Collector = await startCollector({
    host: '127.0.0.1',
    port: 0,
    redisUrl: redis.socketPath,
  });
  opened.push(() => collector.close());
  return collector.url;
}

/** Says why not, if a small disk can't be had; needs root. */
function mountSmallDisk(place: string): string | undefined {
  mkdirSync(place);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', place], { stdio: 'pipe' });
  } catch (error) {
    return `a small disk can't be mounted here: ${messageOf(error).split('\n')[0]}`;
  }
  opened.push(() => execFileSync('umount', [place]));
  return undefined;
}

function fill(place: string): void {
  try {
    for (let file = 0; ; file++) writeFileSync(join(place, `fill-${file}`), Buffer.alloc(4096));
  } catch (error) {
    expect(systemCodeOf(error)).toBe('ENOSPC');
  }
}

test('on a full disk the run goes on, its result is printed, and what is missing is named', async ({
  skip,
}) => {
  const disk = join(home.path, 'disk');
  const refusal = mountSmallDisk(disk);
  skip(refusal !== undefined, refusal);
  const url = await startTarget();
  const json = join(home.path, 'out.json');
  fill(disk);
  const run = new Program(['sim', '20', '--duration', '2s', '--target', url, '--json', json], disk);
  const { code, stdout, stderr } = await run.ended;
  expect(code).toBe(1);
  expect(stdout).toMatch(/A crowd of 20 visitors stayed/);
  expect(stdout).toMatch(/Audit {6}ok: /);
  expect(stdout).toMatch(/client logs stopped: .*disk\/logs: ENOSPC/);
  expect(stdout).toMatch(/interval log .*intervals\.hlog: stopped after 0 bytes, the run goes on: ENOSPC/);
  const unwritten = stderr.split('\n');
  const full = "can't be written: ENOSPC: no space left on device";
  expect(unwritten[0]).toMatch(/^crowdbeat: ledger \S+\/ledger\.json\.gz: /);
  expect(unwritten[1]).toMatch(/^crowdbeat: result \S+\/results\/\S+\/run\.json: /);
  expect(unwritten.filter((line) => line.includes(full))).toHaveLength(2);
  expect(unwritten.slice(2)).toEqual(['']);
  // The other place for the result had room.
  expect(statSync(json).size).toBeGreaterThan(1000);
});

test('a run with more connections than file descriptors is refused before it starts, with both remedies', () => {
  const command = `ulimit -n 260; exec "${process.execPath}" "${program}" sim 5 --connections 400 --workers 1`;
  const { status, stdout, stderr } = spawnSync('/bin/sh', ['-c', command], {
    env: { ...process.env, CROWDBEAT_HOME: home.path },
    encoding: 'utf8',
  });
  expect(status).toBe(1);
  expect(stdout).toBe('');
  expect(stderr).toMatch(
    /limit of this process is 260; raise it \(ulimit -n \d+\), or use --connections \d+ \(see --help\)\n$/,
  );
});
