import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { cleanUp, temporaryDirectory } from './embedded-redis.testing.ts';
import { ensureRedisBinary, findRedisBinary, type Machine, planInstall } from './install-redis.ts';

const debian = 'PRETTY_NAME="Debian GNU/Linux 12"\nID=debian\n';
const mint = 'ID=linuxmint\nID_LIKE="ubuntu debian"\n';
const fedora = 'ID=fedora\nHOME_URL="https://debian.example"\n';

const machine: Machine = {
  platform: 'linux',
  osRelease: debian,
  hasAptGet: true,
  isRoot: true,
  canSudo: false,
  runsSystemd: false,
};

let directory: string;

beforeEach(() => {
  directory = temporaryDirectory();
});

afterEach(() => cleanUp(directory, []));

it('installs as root, without a question and without starting a system service', () => {
  const lines = planInstall(machine).commands.map((command) => command.join(' '));
  expect(lines).toHaveLength(2);
  expect(lines[0]).toMatch(/^env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get .*update/);
  expect(lines[1]).toMatch(
    /^env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get .*install -y .*--no-install-recommends redis-server$/,
  );
});

it('goes through sudo, every command, where that asks for no password', () => {
  const { commands } = planInstall({
    ...machine,
    osRelease: mint,
    isRoot: false,
    canSudo: true,
    runsSystemd: true,
  });
  expect(commands.map((command) => command.slice(0, 2).join(' '))).toEqual(['sudo -n', 'sudo -n', 'sudo -n']);
  expect(commands[2]?.join(' ')).toBe('sudo -n systemctl disable --now redis-server.service');
});

it.each([
  ['without rights', { isRoot: false }, 'sudo apt-get install redis-server'],
  ['on a Mac', { platform: 'darwin' as const, hasAptGet: false }, 'brew install redis'],
  [
    'on another Linux',
    { osRelease: fedora },
    'install Redis >= 7.0 or Valkey and put it on PATH, or set REDIS_URL',
  ],
  [
    'on a Debian without apt-get',
    { hasAptGet: false },
    'install Redis >= 7.0 or Valkey and put it on PATH, or set REDIS_URL',
  ],
])('runs nothing %s, but says what to type', (_where, difference, advice) => {
  expect(planInstall({ ...machine, ...difference })).toEqual({ advice, commands: [] });
});

it('takes the Redis that is there and says nothing', async () => {
  const lines: string[] = [];
  expect(await ensureRedisBinary((line) => lines.push(line))).toEqual(await findRedisBinary());
  expect(lines).toEqual([]);
});

it('names the command to type if there is none and nothing to install it with', async () => {
  const missing = { code: 'CB_REDIS_MISSING', message: expect.stringContaining('or set REDIS_URL') };
  await expect(findRedisBinary([directory])).rejects.toMatchObject(missing);
  await expect(ensureRedisBinary(() => {}, [directory])).rejects.toMatchObject(missing);
});

it('names the server and its version if it is too old', async () => {
  mkdirSync(join(directory, 'bin'));
  const path = join(directory, 'bin/redis-server');
  writeFileSync(path, '#!/bin/sh\necho "Redis server v=6.0.16 sha=0"\n');
  chmodSync(path, 0o755);
  await expect(ensureRedisBinary(() => {}, [join(directory, 'bin')])).rejects.toMatchObject({
    code: 'CB_REDIS_TOO_OLD',
    message: expect.stringContaining(`${path} is version 6.0.16, but Redis >= 7.0 or Valkey is needed`),
  });
});
