/** The faults, one by one. The letters are used on the command line. */
import { formatDuration } from '../../server/base/units.ts';
import type { RunResult } from '../../sim/run/index.ts';
import { pause } from './children.ts';
import type { Fault, Scale } from './fault.ts';

const none = (): number => 0;
const down = (scale: Scale): number => scale.downMs;
const back = (scale: Scale): string => `back after ${formatDuration(scale.downMs)}`;
const plain = { fsync: 'everysec', collectors: 1, front: false, expects: 'exact' } as const;

const collectorKilled: Fault = {
  ...plain,
  name: 'a',
  does: (scale) => `collector killed (SIGKILL), ${back(scale)}`,
  outageMs: down,
  strike: async ({ collectors }, scale) => {
    await collectors[0]?.kill();
    await pause(scale.downMs);
    await collectors[0]?.start();
  },
};

const redisRestarted: Fault = {
  ...plain,
  name: 'b',
  does: (scale) => `Redis (everysec) ended cleanly, ${back(scale)}`,
  outageMs: down,
  strike: async ({ redis }, scale) => {
    await redis.shutDown();
    await pause(scale.downMs);
    await redis.start();
  },
};

const redisKilled: Fault = {
  ...plain,
  name: 'c',
  fsync: 'always',
  does: (scale) => `Redis (always) killed (SIGKILL), ${back(scale)}`,
  outageMs: down,
  strike: async ({ redis }, scale) => {
    await redis.kill();
    await pause(scale.downMs);
    await redis.start();
  },
};

const redisFrozen: Fault = {
  ...plain,
  name: 'd',
  does: (scale) => `Redis frozen (SIGSTOP) for ${formatDuration(scale.freezeMs)}`,
  outageMs: (scale) => scale.freezeMs,
  strike: async ({ redis }, scale) => {
    redis.freeze();
    await pause(scale.freezeMs);
    redis.thaw();
  },
};

const repliesCut: Fault = {
  ...plain,
  name: 'e',
  front: true,
  does: () => 'every 20th connection cut in the middle of a reply, from then on to the end',
  outageMs: none,
  strike: async ({ front }, scale) => {
    front?.cutEvery(20);
    await pause(Math.max(0, scale.durationMs - scale.afterMs - 500));
    front?.cutEvery(0);
  },
  check: ({ events }, { front }) => [
    ...(front === undefined || front.cuts === 0 ? ['no reply was cut'] : []),
    // What was cut had been stored, so that sent again it must come out as a duplicate.
    ...(events.duplicates === 0 ? ['no event was recognised as sent twice'] : []),
  ],
};

const oneOfTwoKilled: Fault = {
  ...plain,
  name: 'f',
  collectors: 2,
  front: true,
  does: () => 'two collectors behind one address, one killed (SIGKILL) for good',
  outageMs: none,
  strike: async ({ collectors }) => {
    await collectors[0]?.kill();
  },
};

const redisKilledEverysec: Fault = {
  ...plain,
  name: 'g',
  expects: 'named',
  does: (scale) => `Redis (everysec) killed (SIGKILL), ${back(scale)}`,
  outageMs: down,
  strike: redisKilled.strike,
};

const powerLost: Fault = {
  ...plain,
  name: 'p',
  expects: 'loss',
  does: (scale) => `Redis (everysec) loses its last second, as when power fails, ${back(scale)}`,
  outageMs: down,
  // Arrivals go on through the loss: so there are visitors of whom nothing is left.
  crowd: (scale) => ['--ramp', `${Math.round((scale.visitors * 500) / scale.afterMs)}/s`],
  strike: async ({ redis }, scale) => {
    const synced = redis.appendOnlyBytes();
    await pause(1000);
    await redis.kill();
    redis.cutAppendOnly(synced);
    await pause(scale.downMs);
    await redis.start();
  },
};

const flushed: Fault = {
  ...plain,
  name: 'h',
  expects: 'emptied',
  // Two, each with its own memory of what Redis held: both must notice.
  collectors: 2,
  front: true,
  does: () => 'FLUSHALL under two collectors; then a second run on the same property',
  outageMs: none,
  strike: ({ redis }) => redis.flushAll(),
};

const targetGone: Fault = {
  ...plain,
  name: 'i',
  expects: 'gone',
  does: (scale) => `collector killed (SIGKILL) for good, --give-up ${formatDuration(scale.giveUpMs)}`,
  outageMs: none,
  crowd: (scale) => ['--give-up', `${scale.giveUpMs}ms`],
  strike: async ({ collectors }) => {
    await collectors[0]?.kill();
  },
};

const targetSlow: Fault = {
  ...plain,
  name: 'j',
  front: true,
  // 64 connections and replies after 1 s are 64 events a second, far less than the crowd's.
  does: (scale) => `every reply held back for 1 s, for ${formatDuration(scale.slowMs)}`,
  outageMs: (scale) => Math.min(scale.slowMs, 3000),
  crowd: (scale) => ['--connections', String(Math.min(64, Math.ceil(scale.visitors / 8)))],
  strike: async ({ front }, scale) => {
    front?.delay(1000);
    await pause(scale.slowMs);
    front?.delay(0);
  },
  check: ({ latencyMs }: RunResult) =>
    latencyMs.blocked.max < 1000
      ? [`blocked max was ${Math.round(latencyMs.blocked.max)} ms: a slow target must show there`]
      : [],
};

const memoryFull: Fault = {
  ...plain,
  name: 'maxmemory',
  does: (scale) => `Redis at its maxmemory, with room again after ${formatDuration(scale.downMs)}`,
  outageMs: down,
  strike: async ({ redis }, scale) => {
    await redis.configure('maxmemory', '1');
    await pause(scale.downMs);
    await redis.configure('maxmemory', '0');
  },
  check: ({ errors }: RunResult) =>
    (errors['http 503'] ?? 0) > 0 ? [] : ['no write was refused: the fault did not work'],
};

export const faults: readonly Fault[] = [
  collectorKilled,
  redisRestarted,
  redisKilled,
  redisFrozen,
  repliesCut,
  oneOfTwoKilled,
  redisKilledEverysec,
  powerLost,
  flushed,
  targetGone,
  targetSlow,
  memoryFull,
];
