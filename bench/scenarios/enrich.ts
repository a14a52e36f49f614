/**
 * What place and agent cost a collector: single events with the headers of 20,000 clients behind a proxy, by turns
 * to a collector that reads them and to one that does not, each with a Redis of its own.
 */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cpuUsOf, runNode, type Server, startServer } from '../record/child.ts';
import { programPath } from './crowd-process.ts';
import type { Scenario, ScenarioContext, ScenarioReport } from './scenario.ts';

const writerPath = fileURLToPath(new URL('../single-writer.js', import.meta.url));
const ratioBound = 1.2;

const kinds = {
  plain: ['--geo', 'off', '--agents', 'off'],
  enriched: ['--trust-proxy', 'loopback'],
} as const;
type Kind = keyof typeof kinds;

async function run(context: ScenarioContext): Promise<ScenarioReport> {
  const { seconds, rounds } = context.smoke ? { seconds: 1, rounds: 1 } : { seconds: 6, rounds: 7 };
  const servers = new Map<Kind, Server>();
  const problems: string[] = [];
  const costs: Record<Kind, number[]> = { plain: [], enriched: [] };
  try {
    for (const kind of ['plain', 'enriched'] as const) servers.set(kind, await serve(context, kind));
    for (let round = 0; round <= rounds; round++) {
      const order = round % 2 === 0 ? (['plain', 'enriched'] as const) : (['enriched', 'plain'] as const);
      for (const kind of order) {
        const cost = await measure(servers.get(kind) as Server, seconds, problems);
        // The first round fills caches and compiles.
        if (round > 0) costs[kind].push(cost);
      }
      const shown = (kind: Kind): string => (costs[kind].at(-1) ?? Number.NaN).toFixed(1);
      if (round > 0) context.say(`round ${round}: ${shown('plain')} us/event, enriched ${shown('enriched')}`);
    }
  } finally {
    for (const server of servers.values()) await server.stop();
  }
  const ratio = median(costs.enriched.map((cost, round) => cost / (costs.plain[round] ?? Number.NaN)));
  const bound = context.smoke ? {} : { bound: ratioBound };
  const figures = [
    { name: 'collector without place and agent', value: median(costs.plain), unit: 'us/event' },
    { name: 'collector with place and agent', value: median(costs.enriched), unit: 'us/event' },
    { name: 'ratio', value: ratio, unit: 'x', ...bound },
  ];
  return { figures, problems };
}

function serve(context: ScenarioContext, kind: Kind): Promise<Server> {
  const home = { CROWDBEAT_HOME: join(context.directory, kind), REDIS_URL: '' };
  return startServer([programPath, 'serve', '--port', '0', '--open', ...kinds[kind]], home);
}

/** The collector's CPU for each event, in us. */
async function measure(server: Server, seconds: number, problems: string[]): Promise<number> {
  const before = cpuUsOf(server.pid) ?? Number.NaN;
  const { output } = await runNode(
    [writerPath, String(server.port), String(seconds)],
    seconds * 1000 + 60_000,
  );
  const { events, problem } = JSON.parse(output) as { events: number; problem: string };
  if (problem !== '') problems.push(problem);
  return ((cpuUsOf(server.pid) ?? Number.NaN) - before) / events;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? Number.NaN;
}

export const enrich: Scenario = {
  name: 'enrich',
  question: 'What do place and agent cost a collector for each event?',
  notMeasured:
    'clients that were never met before, which cost 10 us more, and the memory that the database takes',
  run,
};
