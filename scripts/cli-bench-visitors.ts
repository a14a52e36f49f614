/**
 * The program behind the bench scenario `query-visitors`: a Redis of its own, crowds written into it, questions asked.
 * `cli-bench-visitors.js full|smoke DIRECTORY` prints figures as JSON, one line.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { CrowdbeatError } from '../server/base/errors.ts';
import { searchDirectories, searchRedis } from '../server/main/redis-binary.ts';
import { connectRedis, type RedisConnection } from '../server/store/connection.ts';
import { PropertyKeys } from '../server/store/keys.ts';
import { Asker, type QuestionCost, type RawCommand } from './cli-bench-visitors-ask.ts';
import {
  type CrowdName,
  fullSizes,
  keyOf,
  propertyOf,
  SampleWriter,
  smokeSizes,
  steps,
} from './cli-bench-visitors-data.ts';

interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly bound?: number;
}

interface TimedQuestion {
  readonly name: string;
  readonly crowd: CrowdName;
  readonly body: object;
  readonly boundMs: number;
  /** Askings at full size. */
  readonly times: number;
}

const isSmoke = process.argv[2] !== 'full';
const sizes = isSmoke ? smokeSizes : fullSizes;
const month = { bucket: '2026-10' };
const dayRange = { bucket: '2026-11-20' };
const named = steps.map((event) => ({ event }));
const [view, cart, pay] = named as [object, object, object];
const meeting = { minus: [{ and: [view, cart] }, pay] };
const ordered = (windowMinutes?: number) => ({ ordered: true, steps: named, windowMinutes });

const timed: readonly TimedQuestion[] = [
  {
    name: 'uniques from 01-01 to 11-21 17:29',
    crowd: 'month',
    body: { from: '2026-01-01', to: '2026-11-21T17:29Z', uniques: view },
    boundMs: 10,
    times: 200,
  },
  {
    name: 'funnel of 4, a month',
    crowd: 'month',
    body: { ...month, funnel: { steps: named } },
    boundMs: 10,
    times: 200,
  },
  {
    name: 'retention, 30 x 30 days',
    crowd: 'month',
    body: {
      from: '2026-09-20',
      to: '2026-10-20',
      retention: { cohort: view, returning: cart, by: 'day', columns: 30 },
    },
    boundMs: 150,
    times: 30,
  },
  ...(['sparse', 'dense'] as const).flatMap((crowd) =>
    [undefined, 30].map((windowMinutes) => ({
      name: `ordered funnel of 4, a ${crowd} day${windowMinutes === undefined ? '' : `, window ${windowMinutes}`}`,
      crowd,
      body: { ...dayRange, funnel: ordered(windowMinutes) },
      boundMs: crowd === 'sparse' ? 50 : 400,
      times: 30,
    })),
  ),
];

const at = (cost: QuestionCost, share: number): number =>
  cost.latencyMs[Math.min(cost.latencyMs.length - 1, Math.floor(share * cost.latencyMs.length))] ??
  Number.NaN;

function figuresOf(name: string, cost: QuestionCost, boundMs: number): Figure[] {
  const bound = isSmoke ? {} : { bound: boundMs };
  return [
    { name: `${name}: p50`, value: at(cost, 0.5), unit: 'ms' },
    { name: `${name}: p90`, value: at(cost, 0.9), unit: 'ms' },
    { name: `${name}: p99`, value: at(cost, 0.99), unit: 'ms', ...bound },
    { name: `${name}: CPU of the collector`, value: cost.collectorCpuMs, unit: 'ms' },
    { name: `${name}: CPU of Redis`, value: cost.redisCpuMs, unit: 'ms' },
    { name: `${name}: over 2 ms in one asking`, value: cost.slowCommands, unit: 'commands' },
    { name: `${name}: longest command`, value: cost.longestMs, unit: 'ms' },
  ];
}

async function ratioFigures(asker: Asker): Promise<Figure[]> {
  const keys = new PropertyKeys(propertyOf('month'));
  const key = (step: string) => keyOf(keys, step, Date.UTC(2026, 9), 'month');
  const [a, b] = [keys.temporary(1), keys.temporary(2)];
  const cases: readonly [string, object, readonly RawCommand[]][] = [
    ['uniques of a month', view, [['BITCOUNT', key('view')]]],
    [
      'A AND B NOT C, a month',
      meeting,
      [
        ['BITOP', 'AND', a, key('view'), key('cart')],
        ['BITOP', 'NOT', b, key('pay')],
        ['BITOP', 'AND', a, a, b],
        ['BITCOUNT', a],
        ['DEL', a, b],
      ],
    ],
  ];
  const figures: Figure[] = [];
  for (const [name, uniques, raw] of cases) {
    const times = isSmoke ? 20 : 400;
    const { questionUs, rawUs } = await asker.ratio(propertyOf('month'), { ...month, uniques }, raw, times);
    figures.push(
      { name: `${name}: Redis`, value: questionUs, unit: 'us' },
      { name: `${name}: raw commands`, value: rawUs, unit: 'us' },
      { name: `${name}: ratio`, value: questionUs / rawUs, unit: 'x', ...(isSmoke ? {} : { bound: 1.3 }) },
    );
  }
  return figures;
}

/** Ten segments against one: Redis' time for ten times the visitors. */
async function linearFigures(asker: Asker): Promise<Figure[]> {
  const body = { ...month, uniques: meeting };
  const times = isSmoke ? 20 : 200;
  const one = await asker.ratio(propertyOf('month'), body, [], times);
  const many = await asker.ratio(propertyOf('ten'), body, [], times);
  const name = `A AND B NOT C, ${sizes.segments} segments`;
  const times10 = many.questionUs / one.questionUs / sizes.segments;
  return [
    { name: `${name}: Redis`, value: many.questionUs, unit: 'us' },
    {
      name: `${name}: by segment, of what one alone takes`,
      value: times10,
      unit: 'x',
      ...(isSmoke ? {} : { bound: 1.3 }),
    },
  ];
}

async function measure(connection: RedisConnection): Promise<Figure[]> {
  await new SampleWriter(connection, sizes).writeAll();
  const asker = new Asker(connection);
  const figures = [...(await ratioFigures(asker)), ...(await linearFigures(asker))];
  for (const { name, crowd, body, boundMs, times } of timed) {
    const cost = await asker.measure(propertyOf(crowd), body, isSmoke ? 3 : times);
    figures.push(...figuresOf(name, cost, boundMs));
  }
  return figures;
}

async function startRedis(directory: string) {
  const { found } = await searchRedis(searchDirectories(process.env['PATH']));
  if (found === undefined) throw new CrowdbeatError('CB_REDIS_START', 'bench: no redis-server was found');
  const socketPath = join(directory, 'redis.sock');
  const options = ['--port', '0', '--unixsocket', socketPath, '--dir', directory, '--save', ''];
  const log = ['--slowlog-log-slower-than', '500', '--slowlog-max-len', '100000'];
  const child = spawn(found.path, [...options, ...log], { stdio: 'ignore' });
  for (let tries = 100; ; tries--) {
    try {
      return { child, connection: await connectRedis(socketPath) };
    } catch (thrown) {
      if (tries === 0) throw thrown;
      await pause(50);
    }
  }
}

const { child, connection } = await startRedis(process.argv[3] ?? '.');
try {
  process.stdout.write(`${JSON.stringify(await measure(connection))}\n`);
} finally {
  await connection.close();
  child.kill('SIGKILL');
  await once(child, 'exit');
}
