/** A collector with a Redis of its own, and the requests that tests send to it. */
import { startTestRedis, type TestRedis } from '../store/redis.testing.ts';
import { type Collector, type CollectorOptions, startCollector } from './collector.ts';

export interface TestCollector {
  readonly collector: Collector;
  readonly redis: TestRedis;
  /** What the collector logged so far. */
  readonly logged: string[];
  get(path: string): Promise<JsonReply>;
  write(body: unknown, headers?: Record<string, string>): Promise<JsonReply>;
  stop(): Promise<void>;
}

export interface JsonReply {
  readonly status: number;
  readonly headers: Headers;
  readonly json: unknown;
}

export async function startTestCollector(options: Partial<CollectorOptions> = {}): Promise<TestCollector> {
  const redis = await startTestRedis();
  const logged: string[] = [];
  const log = (line: string): void => {
    logged.push(line);
  };
  const collector = await startCollector({
    host: '127.0.0.1',
    port: 0,
    redisUrl: redis.socketPath,
    log,
    ...options,
  });
  const send = async (path: string, init?: RequestInit): Promise<JsonReply> => {
    const reply = await fetch(collector.url + path, init);
    return { status: reply.status, headers: reply.headers, json: await reply.json() };
  };
  return {
    collector,
    redis,
    logged,
    get: (path) => send(path),
    write: (body, headers = { 'content-type': 'application/json' }) => {
      return send('/write', {
        method: 'POST',
        headers,
        body: typeof body === 'string' ? body : JSON.stringify(body),
      });
    },
    async stop() {
      await collector.close();
      await redis.stop();
    },
  };
}
