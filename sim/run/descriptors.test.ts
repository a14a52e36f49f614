import { expect, test } from 'vitest';
import { checkDescriptors, readDescriptors } from './descriptors.ts';

const failure = (connections: number, workers: number, limit: number, open = 20): string => {
  try {
    checkDescriptors({ connections, workers }, { limit, open });
  } catch (error) {
    return (error as Error).message;
  }
  return 'enough';
};

test('too few descriptors: the message names need, limit and both remedies', () => {
  expect(failure(200, 1, 128)).toBe(
    '--connections: the run needs file descriptors for 200 connections and 81 others, and the limit of this process is 128; ' +
      'raise it (ulimit -n 281), or use --connections 47',
  );
});

test('the remedies that are named are enough, and one less is not', () => {
  expect(failure(200, 1, 281)).toBe('enough');
  expect(failure(200, 1, 280)).not.toBe('enough');
  expect(failure(47, 1, 128)).toBe('enough');
});

test('where no number of connections would do, none is advised', () => {
  expect(failure(200, 2, 64)).toMatch(/limit of this process is 64; raise it \(ulimit -n 302\)$/);
});

test('where the limit can’t be read nothing is said', () => {
  expect(() => checkDescriptors({ connections: 60_000, workers: 64 }, null)).not.toThrow();
});

test('on Linux the limit and what is open are read from /proc', () => {
  const found = readDescriptors();
  if (process.platform !== 'linux') return;
  expect(found?.limit).toBeGreaterThan(found?.open ?? 0);
  expect(found?.open).toBeGreaterThan(2);
});
