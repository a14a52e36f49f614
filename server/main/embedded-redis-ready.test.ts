import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ManualClock } from '../base/clock.ts';
import { cleanUp, temporaryDirectory } from './embedded-redis.testing.ts';
import { ownMark } from './embedded-redis-identity.ts';
import type { ServerProcess } from './embedded-redis-process.ts';
import { awaitReady } from './embedded-redis-ready.ts';

let directory: string;
let server: Server;
let clock: ManualClock;
const lines: string[] = [];

beforeEach(() => {
  directory = temporaryDirectory();
  clock = new ManualClock(0);
  lines.length = 0;
});

afterEach(async () => {
  server.close();
  await cleanUp(directory, []);
});

const bulk = (text: string): string => `$${Buffer.byteLength(text)}\r\n${text}\r\n`;

/** Speaks Redis' protocol as a server that loads does; each look at it takes 8 s on the manual clock. */
function serve(loadedBytes: number[], processId: number): Promise<{ path: string }> {
  const path = join(directory, 'redis.sock');
  server = createServer((socket) => {
    socket.on('data', (bytes) => {
      const command = String(bytes);
      const [now] = loadedBytes;
      if (command.includes('PING'))
        socket.write(now === undefined ? '+PONG\r\n' : '-LOADING Redis is loading\r\n');
      else if (command.includes('server'))
        socket.write(bulk(`redis_version:7.0.15\r\nprocess_id:${processId}\r\n`));
      else {
        clock.advanceMs(8000);
        loadedBytes.shift();
        const load = `loading_loaded_bytes:${now}\r\nloading_total_bytes:40000000\r\nloading_loaded_perc:25.00\r\n`;
        socket.write(bulk(`# Persistence\r\n${load}loading_eta_seconds:7\r\n`));
      }
    });
  });
  return new Promise((resolve) => server.listen(path, () => resolve({ path })));
}

function waitFor(address: { path: string }, process: Partial<ServerProcess> = {}): Promise<string> {
  const never = new Promise<string>(() => {});
  const living: ServerProcess = {
    ...ownMark(),
    isAlive: () => true,
    ended: never,
    signal: () => {},
    ...process,
  };
  const log = (line: string): void => void lines.push(line);
  return awaitReady(living, address, { dataDir: directory, clock, stallDeadlineMs: 10_000, log });
}

it('waits for a load that takes longer than the deadline, as long as it gets on', async () => {
  const address = await serve([1, 2, 3, 4, 5], process.pid);
  expect(await waitFor(address)).toBe('7.0.15');
  expect(clock.monotonicMs()).toBe(40_000);
  expect(lines).toContain('embedded Redis loads its data: 25 % of 40 MB, about 7 s left');
});

it('gives up on a load that stands still', async () => {
  const address = await serve([1, 1, 1, 1, 1], process.pid);
  await expect(waitFor(address)).rejects.toThrow(/not ready, no progress in 10000 ms: LOADING/);
});

it('does not take another server for the one that was started', async () => {
  const address = await serve([], process.pid + 1);
  await expect(waitFor(address)).rejects.toThrow(`another server (process ${process.pid + 1}) answers on`);
});

it('says how the process ended if it did', async () => {
  const address = await serve([1, 2], process.pid);
  const ended = { isAlive: () => false, ended: Promise.resolve('signal SIGKILL') };
  await expect(waitFor(address, ended)).rejects.toThrow('ended while starting (signal SIGKILL): no log');
});
