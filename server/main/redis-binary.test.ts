import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { cleanUp, temporaryDirectory } from './embedded-redis.testing.ts';
import { isNewEnough, parseServerVersion, searchDirectories, searchRedis } from './redis-binary.ts';

let directory: string;

beforeEach(() => {
  directory = temporaryDirectory();
});

afterEach(() => cleanUp(directory, []));

/** A program that tells a version as Redis does. */
function program(folder: string, name: string, output: string): string {
  const path = join(directory, folder, name);
  mkdirSync(join(directory, folder), { recursive: true });
  writeFileSync(path, `#!/bin/sh\necho '${output}'\n`);
  chmodSync(path, 0o755);
  return path;
}

const folders = (...names: string[]): string[] => names.map((name) => join(directory, name));

it('finds the real one of this machine', async () => {
  const { found } = await searchRedis();
  expect(found?.path).toMatch(/(redis|valkey)-server$/);
  expect(isNewEnough(found?.version ?? '0')).toBe(true);
});

it.each([
  ['Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 build=1', '7.0.15'],
  ['Valkey server v=8.1.0 sha=00000000:0 malloc=libc bits=64 build=1', '8.1.0'],
  ['Server v=7.2.5 sha=00000000:0', '7.2.5'],
  ['redis-cli 7.0.15', undefined],
  ['', undefined],
])('reads the version out of %j', (output, version) => {
  expect(parseServerVersion(output)).toBe(version);
});

it.each([
  ['6.2.14', false],
  ['7.0.0', true],
  ['10.0.0', true],
])('counts %s as new enough: %s', (version, expected) => {
  expect(isNewEnough(version)).toBe(expected);
});

it('passes over servers that are too old or do not run, and remembers the old ones', async () => {
  const old = program('one', 'redis-server', 'Redis server v=6.0.16 sha=0');
  program('two', 'redis-server', 'this is no server');
  const path = program('three', 'valkey-server', 'Valkey server v=8.0.1 sha=0');
  const search = await searchRedis(folders('none', 'one', 'two', 'three'));
  expect(search).toEqual({ found: { path, version: '8.0.1' }, tooOld: [{ path: old, version: '6.0.16' }] });
});

it('takes the first directory first, as PATH means it', async () => {
  program('a', 'redis-server', 'Redis server v=7.0.1 sha=0');
  program('b', 'redis-server', 'Redis server v=7.4.2 sha=0');
  expect((await searchRedis(folders('b', 'a'))).found?.version).toBe('7.4.2');
  expect((await searchRedis(folders('a', 'b'))).found?.version).toBe('7.0.1');
});

it('looks in the usual places after PATH, once each, and never in a relative entry', () => {
  expect(searchDirectories('/opt/x::bin:/usr/sbin')).toEqual([
    '/opt/x',
    '/usr/sbin',
    '/usr/bin',
    '/usr/local/bin',
    '/opt/homebrew/bin',
  ]);
  expect(searchDirectories(undefined)).toContain('/usr/sbin');
});
