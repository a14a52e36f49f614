/**
 * Where every microsecond goes: the same crowd against our collector and against a Fastify echo of the same
 * JSON, by turns in one run, and batches of 100 events against the collector.
 *
 * A machine's microseconds can't be compared with another's, and not even with its own of an hour ago; the
 * ratio of two programs that took turns can. So each round is a pair, and the ratio's median is the answer.
 */

import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { CrowdbeatError } from '../../server/base/errors.ts';
import { childOf, runNode, type Server, startServer } from '../record/child.ts';
import { problemsOf, programPath, runCrowd } from './crowd-process.ts';
import type { Scenario, ScenarioContext, ScenarioFigure, ScenarioReport } from './scenario.ts';
import { type Meter, measureWindow, type WindowCost } from './steady-window.ts';

const echoPath = fileURLToPath(new URL('../fastify-echo.js', import.meta.url));
const batchWriterPath = fileURLToPath(new URL('../batch-writer.js', import.meta.url));

const ratioBound = 1;
const redisUsBound = 14;
const batchEventsPerCoreBound = 60_000;
const batchRedisUsBound = 8;

interface Sizes {
  readonly visitors: number;
  /** One after the other: the rarer the events, the fewer of them share a turn of the event loop and a commit. */
  readonly heartbeats: readonly string[];
  /** From the start of the crowd's process until it is steady: starting, 3,000 arrivals a second, and a rest. */
  readonly settleMs: number;
  readonly windowMs: number;
  readonly rounds: number;
  readonly batchSeconds: number;
}

const full: Sizes = {
  visitors: 20_000,
  heartbeats: ['5s', '2s'],
  settleMs: 11_000,
  windowMs: 12_000,
  rounds: 3,
  batchSeconds: 10,
};
const small: Sizes = {
  visitors: 50,
  heartbeats: ['200ms'],
  settleMs: 1500,
  windowMs: 2000,
  rounds: 1,
  batchSeconds: 1,
};

interface Round {
  readonly collector: WindowCost;
  readonly echo: WindowCost;
  readonly generatorUs: number;
}

async function run(context: ScenarioContext): Promise<ScenarioReport> {
  const sizes = context.smoke ? small : full;
  const servers: Server[] = [];
  try {
    const collector = await startServer([programPath, 'serve', '--port', '0'], {
      CROWDBEAT_HOME: context.directory,
      REDIS_URL: '',
    });
    servers.push(collector);
    const echo = await startServer([echoPath]);
    servers.push(echo);
    const problems: string[] = [];
    const figures: ScenarioFigure[] = [];
    for (const heartbeat of sizes.heartbeats) {
      const rounds: Round[] = [];
      for (let round = 1; round <= sizes.rounds; round++)
        rounds.push(await runRound(context, { ...sizes, heartbeat, round }, { collector, echo }, problems));
      figures.push(...singleFigures(rounds, heartbeat, context.smoke));
    }
    const batch = await runBatches(context, sizes, collector, problems);
    return { figures: [...figures, ...batchFigures(batch, context.smoke)], problems };
  } finally {
    for (const server of servers) await server.stop();
  }
}

function collectorMeter(collector: Server): Meter {
  const redis = childOf(collector.pid, /redis|valkey/);
  if (redis === undefined)
    throw new CrowdbeatError('CB_REDIS_START', 'the collector’s Redis is not among its child processes');
  const events = async (): Promise<number> =>
    (await readJson(collector.port, '/totals'))['documents'] as number;
  return { pids: { collector: collector.pid, redis }, events };
}

function echoMeter(echo: Server): Meter {
  const events = async (): Promise<number> => (await readJson(echo.port, '/seen'))['seen'] as number;
  return { pids: { echo: echo.pid }, events };
}

async function readJson(port: number, path: string): Promise<Record<string, unknown>> {
  const reply = await fetch(`http://127.0.0.1:${port}${path}`);
  return (await reply.json()) as Record<string, unknown>;
}

interface RoundPlan extends Sizes {
  readonly heartbeat: string;
  readonly round: number;
}

async function runRound(
  context: ScenarioContext,
  plan: RoundPlan,
  servers: { readonly collector: Server; readonly echo: Server },
  problems: string[],
): Promise<Round> {
  const { visitors, heartbeat, round, settleMs, windowMs } = plan;
  const costOf = async (name: string, server: Server, meter: Meter) => {
    const args = [String(visitors), '--target', `http://127.0.0.1:${server.port}`, '--heartbeat', heartbeat];
    const duration = [
      '--duration',
      `${Math.ceil((settleMs + windowMs) / 1000) + 1}s`,
      '--seed',
      String(round),
    ];
    const crowd = runCrowd(context, `${name}-${heartbeat}-${round}`, [
      ...args,
      ...duration,
      '--no-audit',
      '--log-clients',
      '0',
    ]);
    // If the crowd fails before the window ends, the window's division by no events must not hide why.
    const ended = crowd.then(() => undefined);
    await Promise.race([pause(settleMs), ended]);
    const cost = await measureWindow(meter, windowMs);
    const result = await crowd;
    problems.push(...problemsOf(result, `${heartbeat}, round ${round}, ${name}`));
    return { cost, generatorUs: result.generator.cpuUsPerEvent };
  };
  const collector = await costOf('collector', servers.collector, collectorMeter(servers.collector));
  const echo = await costOf('echo', servers.echo, echoMeter(servers.echo));
  const costs = { collector: collector.cost, echo: echo.cost, generatorUs: collector.generatorUs };
  for (const line of table(costs)) context.say(`${heartbeat}, round ${round}: ${line}`);
  return costs;
}

/** The parts of one round, one line each. */
function table({ collector, echo, generatorUs }: Round): string[] {
  const us = (value: number | undefined): string =>
    `${(value ?? Number.NaN).toFixed(1).padStart(7)} us/event`;
  const rate = ({ events, seconds }: WindowCost): string => `${Math.round(events / seconds)} events/s`;
  const { collector: collectorUs = Number.NaN, redis: redisUs = Number.NaN } = collector.usPerEvent;
  return [
    `generator  ${us(generatorUs)}`,
    `collector  ${us(collectorUs)}   at ${rate(collector)}`,
    `redis      ${us(redisUs)}`,
    `together   ${us(generatorUs + collectorUs + redisUs)}`,
    `echo       ${us(echo.usPerEvent['echo'])}   at ${rate(echo)}`,
  ];
}

function singleFigures(rounds: readonly Round[], heartbeat: string, smoke: boolean): ScenarioFigure[] {
  const ratio = ({ collector, echo }: Round): number =>
    (collector.usPerEvent['collector'] ?? Number.NaN) / (echo.usPerEvent['echo'] ?? Number.NaN);
  const figure = (
    name: string,
    unit: string,
    pick: (round: Round) => number | undefined,
    bound?: number,
  ): ScenarioFigure => ({
    name: `beats every ${heartbeat}: ${name}`,
    value: median(rounds.map((round) => pick(round) ?? Number.NaN)),
    unit,
    ...(smoke || bound === undefined ? {} : { bound }),
  });
  return [
    figure('events a second', '1/s', ({ collector }) => collector.events / collector.seconds),
    figure('generator', 'us/event', ({ generatorUs }) => generatorUs),
    figure('collector', 'us/event', ({ collector }) => collector.usPerEvent['collector']),
    figure('Redis', 'us/event', ({ collector }) => collector.usPerEvent['redis'], redisUsBound),
    figure('Fastify echo', 'us/event', ({ echo }) => echo.usPerEvent['echo']),
    figure('ratio collector : echo', 'x', ratio, ratioBound),
  ];
}

async function runBatches(
  context: ScenarioContext,
  sizes: Sizes,
  collector: Server,
  problems: string[],
): Promise<WindowCost> {
  context.say(`batches of 100 events for ${sizes.batchSeconds} s …`);
  const meter = collectorMeter(collector);
  const seconds = String(sizes.batchSeconds + 2);
  const writer = runNode([batchWriterPath, String(collector.port), seconds], 120_000);
  await pause(1000);
  const cost = await measureWindow(meter, sizes.batchSeconds * 1000);
  const { problem } = JSON.parse((await writer).output) as { problem: string };
  if (problem !== '') problems.push(`batches: ${problem}`);
  return cost;
}

function batchFigures(batch: WindowCost, smoke: boolean): ScenarioFigure[] {
  const { collector = Number.NaN, redis = Number.NaN } = batch.usPerEvent;
  return [
    { name: 'batches of 100: events a second', value: batch.events / batch.seconds, unit: '1/s' },
    { name: 'batches of 100: collector', value: collector, unit: 'us/event' },
    {
      name: 'batches of 100: events a second and core of the collector',
      value: 1e6 / collector,
      unit: '1/s',
      ...(smoke ? {} : { bound: batchEventsPerCoreBound, higherIsBetter: true }),
    },
    {
      name: 'batches of 100: Redis',
      value: redis,
      unit: 'us/event',
      ...(smoke ? {} : { bound: batchRedisUsBound }),
    },
  ];
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? Number.NaN)
    : ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2;
}

export const cost: Scenario = {
  name: 'cost',
  question: 'Where does every microsecond of an event go, and is the collector dearer than a Fastify echo?',
  notMeasured: 'a network: all programs share this machine, and its cores decide how much falls together',
  run,
};
