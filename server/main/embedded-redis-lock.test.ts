import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { cleanUp, temporaryDirectory } from './embedded-redis.testing.ts';
import { ownMark } from './embedded-redis-identity.ts';
import { parseMark, takeStartLock } from './embedded-redis-lock.ts';

let directory: string;

beforeEach(() => {
  directory = temporaryDirectory();
});

afterEach(() => cleanUp(directory, []));

it('is held by one until released, and leaves no file', () => {
  const first = takeStartLock(directory);
  expect(() => takeStartLock(directory)).toThrow(`${directory} is in use by process ${process.pid}`);
  first.release();
  takeStartLock(directory).release();
  expect(readdirSync(directory)).toEqual([]);
});

it.each([
  ['whose holder is dead', JSON.stringify({ ...ownMark(), startTime: 'long ago' })],
  ['that is garbled', '{ "pid": 12'],
  ['that names no process', '{ "pid": "1", "startTime": 1 }'],
])('breaks a lock %s', (_which, content) => {
  writeFileSync(join(directory, 'start.lock'), content);
  const lock = takeStartLock(directory);
  expect(() => takeStartLock(directory)).toThrow('is in use by');
  lock.release();
  expect(readdirSync(directory)).toEqual([]);
});

it('leaves a dead lock to the process that is breaking it, and names the file', () => {
  writeFileSync(join(directory, 'start.lock'), 'garbled');
  writeFileSync(join(directory, 'start.lock.breaking'), '');
  expect(() => takeStartLock(directory)).toThrow(
    'start.lock.breaking exists; remove it if no crowdbeat is starting',
  );
  expect(existsSync(join(directory, 'start.lock'))).toBe(true);
});

it.each([
  [null],
  [[]],
  [{ pid: 0, startTime: 'x' }],
  [{ pid: 1, startTime: 'x' }],
  [{ pid: -5, startTime: 'x' }],
  [{ pid: 1.5, startTime: 'x' }],
])('takes %j for no process: a signal to it would reach others', (value) => {
  expect(parseMark(value)).toBeUndefined();
});
