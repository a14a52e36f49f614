/** What a crowd is let loose on: a Redis, one or two collectors, perhaps a front before them. */
import { join } from 'node:path';
import type { TotalsReply } from '../../server/protocol/replies.ts';
import { eventually } from './children.ts';
import { Collector } from './collector.ts';
import { type Front, startFront } from './front.ts';
import { type Fsync, PrivateRedis } from './private-redis.ts';

export interface StageOptions {
  readonly directory: string;
  readonly fsync: Fsync;
  readonly collectors: number;
  /** Whether the crowd goes through a front; more than one collector need one. */
  readonly front: boolean;
}

export interface Stage {
  readonly redis: PrivateRedis;
  readonly collectors: readonly Collector[];
  readonly front: Front | undefined;
  /** Where the crowd is sent. */
  readonly target: URL;
  /** What the first running collector says that it holds; undefined if none runs. */
  totals(): Promise<TotalsReply | undefined>;
  /** Resolves when the first event of a crowd is stored. */
  arrival(): Promise<void>;
  close(): Promise<void>;
}

export async function openStage(options: StageOptions): Promise<Stage> {
  const redis = new PrivateRedis(join(options.directory, 'redis'), options.fsync);
  const collectors = Array.from({ length: options.collectors }, () => new Collector(redis.socketPath));
  let front: Front | undefined;
  const close = async (): Promise<void> => {
    await front?.close();
    await Promise.all(collectors.map((collector) => collector.kill()));
    await redis.kill();
  };
  try {
    await redis.start();
    await Promise.all(collectors.map((collector) => collector.start()));
    if (options.front) front = await startFront(collectors.map(({ port }) => port));
  } catch (error) {
    await close();
    throw error;
  }
  const target = front?.url ?? collectors[0]?.url ?? new URL('http://127.0.0.1');
  const totals = (): Promise<TotalsReply | undefined> => totalsOf(collectors);
  const arrival = (): Promise<void> =>
    eventually('the crowd arrives', async () => ((await totals())?.documents ?? 0) > 0);
  return { redis, collectors, front, target, totals, arrival, close };
}

async function totalsOf(collectors: readonly Collector[]): Promise<TotalsReply | undefined> {
  const running = collectors.find(({ isRunning }) => isRunning);
  if (running === undefined) return undefined;
  const response = await fetch(new URL('/totals', running.url));
  return (await response.json()) as TotalsReply;
}
