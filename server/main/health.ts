/** From what is known of Redis, queue and event loop to what an operator is told: pure. */
import { formatDuration } from '../base/units.ts';
import type { HealthReply } from '../protocol/replies.ts';
import type { ServerInfo } from '../store/server-info.ts';
import type { LoopLag } from './event-loop-lag.ts';
import type { RedisState } from './redis-watch.ts';

export interface HealthFacts {
  readonly nowMs: number;
  readonly redis: RedisState;
  readonly queue: { readonly events: number; readonly bytes: number };
  readonly queueMax: { readonly events: number; readonly bytes: number };
  readonly loopLag: LoopLag;
}

/** What is wrong, in words. While something stops writes or counts the whole has failed. */
export interface Judgement {
  readonly status: 'PASSED' | 'FAILED';
  readonly problems: readonly string[];
}

const memoryHigh = 0.9;
const queueHigh = 0.8;
/** Ten times what a visitor notices as a delay of one request, and far beyond what a busy loop has. */
const lagHighMs = 250;

const percent = (part: number): string => `${Math.round(100 * part)}%`;

export function judgeHealth(facts: HealthFacts): Judgement {
  const stopping = [...redisAway(facts), ...redisRefuses(facts.redis.info), ...queueFull(facts)];
  const warnings = [...redisWarnings(facts.redis.info), ...processWarnings(facts)];
  return { status: stopping.length === 0 ? 'PASSED' : 'FAILED', problems: [...stopping, ...warnings] };
}

function redisAway({ redis, nowMs }: HealthFacts): string[] {
  const why = redis.lastError === undefined ? '' : `: ${redis.lastError}`;
  if (!redis.isReady) {
    const sinceMs = redis.awaySinceMs ?? nowMs;
    const since = `since ${new Date(sinceMs).toISOString()}, ${formatDuration(Math.max(0, nowMs - sinceMs))}`;
    return [`Redis is away ${since}${why}`];
  }
  return redis.info === undefined ? [`Redis is connected and does not answer${why}`] : [];
}

/** States in which Redis takes no writes. */
function redisRefuses(info: ServerInfo | undefined): string[] {
  if (info === undefined) return [];
  const { memory, replication, aof } = info;
  const problems: string[] = [];
  if (info.isLoading) problems.push('Redis is loading its data from disk');
  if (aof.isEnabled && !aof.isWriteOk)
    problems.push('Redis could not write its append-only file (disk full?) and refuses writes');
  if (replication.role === 'slave') {
    const link = replication.isMasterLinkUp ? 'up' : 'down';
    problems.push(`this Redis is a replica and refuses writes; its link to the master is ${link}`);
  }
  if (memory.maxBytes > 0 && memory.usedBytes >= memory.maxBytes)
    problems.push(`Redis has used ${memory.usedBytes} of its ${memory.maxBytes} bytes of memory`);
  return problems;
}

function queueFull({ queue, queueMax }: HealthFacts): string[] {
  const fill = fillOf(queue, queueMax);
  return fill < 1 ? [] : ['the queue is full: events come faster than Redis takes them'];
}

function redisWarnings(info: ServerInfo | undefined): string[] {
  if (info === undefined) return [];
  const { usedBytes, maxBytes, policy } = info.memory;
  const problems: string[] = [];
  const fill = maxBytes === 0 ? 0 : usedBytes / maxBytes;
  if (fill >= memoryHigh && fill < 1) problems.push(`Redis has used ${percent(fill)} of its memory`);
  if (maxBytes > 0 && policy !== 'noeviction')
    problems.push(`Redis may throw data away: maxmemory-policy is ${policy}, needs noeviction`);
  if (info.aof.isEnabled && !info.aof.isRewriteOk)
    problems.push('the last rewrite of the append-only file failed; it grows until one succeeds');
  if (!info.isSnapshotOk) problems.push('the last snapshot of Redis failed; it may refuse writes');
  return problems;
}

function processWarnings({ queue, queueMax, loopLag }: HealthFacts): string[] {
  const problems: string[] = [];
  const fill = fillOf(queue, queueMax);
  if (fill >= queueHigh && fill < 1) problems.push(`the queue is ${percent(fill)} full`);
  if (loopLag.p99Ms >= lagHighMs)
    problems.push(`this process is overloaded: its event loop is ${Math.round(loopLag.p99Ms)} ms late (p99)`);
  return problems;
}

function fillOf(queue: HealthFacts['queue'], most: HealthFacts['queueMax']): number {
  return Math.max(queue.events / most.events, queue.bytes / most.bytes);
}

/** The part of the reply that speaks of Redis. */
export function redisHealth({ isReady, awaySinceMs, lastError, info }: RedisState, version: string) {
  return {
    status: isReady ? ('connected' as const) : ('away' as const),
    version: info?.version ?? version,
    ...(awaySinceMs === undefined ? {} : { awaySince: new Date(awaySinceMs).toISOString() }),
    ...(lastError === undefined ? {} : { lastError }),
    ...(info === undefined ? {} : { info: infoHealth(info) }),
  } satisfies HealthReply['redis'];
}

function infoHealth({ isLoading, aof, memory, replication }: ServerInfo) {
  const { isEnabled, isWriteOk } = aof;
  const { role, isMasterLinkUp, replicas } = replication;
  return {
    loading: isLoading,
    aof: { enabled: isEnabled, lastWrite: isWriteOk ? ('ok' as const) : ('err' as const) },
    memory: { usedBytes: memory.usedBytes, maxBytes: memory.maxBytes, policy: memory.policy },
    replication: { role, replicas, masterLink: isMasterLinkUp ? ('up' as const) : ('down' as const) },
  };
}
