/** A private redis-server of a test file: a Unix socket in a directory of its own, ended and removed with it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../base/clock.ts';
import { connectRedis, type RedisConnection } from './connection.ts';
import type { EventRecord } from './event-record.ts';

export interface TestRedis {
  readonly socketPath: string;
  readonly process: ChildProcess;
  readonly connection: RedisConnection;
  stop(): Promise<void>;
}

const startDeadlineMs = 10_000;

export async function startTestRedis(...extra: string[]): Promise<TestRedis> {
  const directory = mkdtempSync(join(tmpdir(), 'crowdbeat-store-'));
  const socketPath = join(directory, 'redis.sock');
  const process = spawnRedis(directory, socketPath, extra);
  await pollUntil(() => existsSync(socketPath), `redis-server made no socket ${socketPath}`);
  const connection = await connectRedis(socketPath);
  return {
    socketPath,
    process,
    connection,
    async stop() {
      await connection.close();
      await endProcess(process);
      rmSync(directory, { recursive: true });
    },
  };
}

export function spawnRedis(
  directory: string,
  socketPath: string,
  extra: readonly string[] = [],
): ChildProcess {
  const options = ['--port', '0', '--unixsocket', socketPath, '--dir', directory, '--save', '', ...extra];
  return spawn('redis-server', options, { stdio: 'ignore' });
}

export async function endProcess(process: ChildProcess): Promise<void> {
  if (process.exitCode !== null || process.signalCode !== null) return;
  const exited = once(process, 'exit');
  process.kill('SIGKILL');
  await exited;
}

/** Looks every 10 ms; throws what it was waiting for after the deadline. */
export async function pollUntil(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const endMs = systemClock.monotonicMs() + startDeadlineMs;
  while (!(await condition())) {
    if (systemClock.monotonicMs() > endMs) throw new Error(what);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** An event with the members that matter to a test; the others are ordinary. */
export function testEvent(members: Partial<EventRecord> = {}): EventRecord {
  return {
    type: 'heartbeat',
    timeMs: Date.UTC(2026, 10, 21, 12, 30, 15),
    visitorId: '3e0a6b52-7f6d-4a8e-9d7c-5b1f00000001',
    sessionId: undefined,
    sessionStartMs: undefined,
    tabId: '',
    seq: 0,
    eventId: undefined,
    source: undefined,
    campaign: undefined,
    pagePath: undefined,
    userId: undefined,
    isBot: false,
    json: '{"event":{"type":"heartbeat"}}',
    ...members,
  };
}
