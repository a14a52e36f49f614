import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cleanUp, eventually, temporaryDirectory } from './embedded-redis.testing.ts';
import {
  identifyFromProc,
  identifyFromPs,
  identifyProcess,
  isAlive,
  ownMark,
} from './embedded-redis-identity.ts';

const sources = [{ name: 'ps', identify: identifyFromPs }];
if (process.platform === 'linux') sources.push({ name: '/proc', identify: identifyFromProc });

describe.each(sources)('told by $name', ({ identify }) => {
  it('knows a living process by its program, and no longer once it ended', async () => {
    const child = spawn('sleep', ['600']);
    await once(child, 'spawn');
    const pid = child.pid ?? 0;
    expect(identify(pid)).toMatchObject({ pid, command: 'sleep', startTime: expect.stringMatching(/\d/) });
    expect(identify(pid)?.startTime).toBe(identify(pid)?.startTime);
    const ended = once(child, 'exit');
    child.kill();
    await ended;
    expect(identify(pid)).toBeUndefined();
  });

  it('counts a zombie as ended', async () => {
    // The shell's child ends, and sleep, which replaces the shell, never reaps it.
    const parent = spawn('sh', ['-c', 'sleep 0 & echo $!; exec sleep 600'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const [line] = await once(parent.stdout, 'data');
    const pid = Number(String(line));
    try {
      expect(pid).toBeGreaterThan(1);
      expect(await eventually(() => identify(pid) === undefined)).toBe(true);
    } finally {
      parent.kill('SIGKILL');
    }
  });

  it('reads a program name with spaces and parentheses', async () => {
    const directory = temporaryDirectory();
    const path = join(directory, 'a) S (b');
    copyFileSync('/bin/sleep', path);
    const child = spawn(path, ['600']);
    try {
      await once(child, 'spawn');
      expect(identify(child.pid ?? 0)?.command).toBe('a) S (b');
      expect(
        isAlive({ pid: child.pid ?? 0, startTime: identifyProcess(child.pid ?? 0)?.startTime ?? '' }),
      ).toBe(true);
    } finally {
      child.kill('SIGKILL');
      await cleanUp(directory, []);
    }
  });
});

it('tells two processes apart that had the same id', () => {
  expect(isAlive(ownMark())).toBe(true);
  expect(isAlive({ ...ownMark(), startTime: 'an hour ago' })).toBe(false);
});
