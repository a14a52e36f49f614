/**
 * What a simulated visitor's event costs the generator, beside autocannon on the same null server in the
 * same run. Figures of different machines can't be compared; the ratio of two programs in one run can.
 */
import { fileURLToPath } from 'node:url';
import { runNode, startServer } from '../record/child.ts';
import { problemsOf, runCrowd } from './crowd-process.ts';
import type { Scenario, ScenarioContext, ScenarioReport } from './scenario.ts';

const nullServerPath = fileURLToPath(new URL('../null-server.js', import.meta.url));
const probePath = fileURLToPath(new URL('./autocannon-probe.js', import.meta.url));

const ratioBound = 0.75;
const bytesPerVisitorBound = 4096;

async function run(context: ScenarioContext): Promise<ScenarioReport> {
  const [few, many] = context.smoke ? [50, 200] : [1000, 20_000];
  const duration = context.smoke ? '3s' : '30s';
  const server = await startServer([nullServerPath]);
  const url = `http://127.0.0.1:${server.port}`;
  const crowdOf = (visitors: number) => {
    context.say(`${visitors} visitors against a null server for ${duration} …`);
    const args = [
      String(visitors),
      '--target',
      url,
      '--no-audit',
      '--duration',
      duration,
      '--log-clients',
      '0',
    ];
    return runCrowd(context, `generator-${visitors}`, args);
  };
  try {
    const small = await crowdOf(few);
    const large = await crowdOf(many);
    context.say('autocannon against the same null server …');
    const probe = await runNode([probePath, url, context.smoke ? '1' : '10'], 60_000);
    const { requests, cpuUs } = JSON.parse(probe.output) as { requests: number; cpuUs: number };
    const autocannonUs = cpuUs / requests;
    const ours = large.generator.cpuUsPerEvent;
    const slope =
      (large.generator.bytesPerVisitor * large.visitors.peak -
        small.generator.bytesPerVisitor * small.visitors.peak) /
      (large.visitors.peak - small.visitors.peak);
    return {
      figures: [
        { name: `our CPU per event, all in, ${many} visitors`, value: ours, unit: 'us' },
        { name: 'autocannon’s CPU per request, 64 connections', value: autocannonUs, unit: 'us' },
        {
          name: 'ratio ours : autocannon',
          value: ours / autocannonUs,
          unit: 'x',
          ...(context.smoke ? {} : { bound: ratioBound }),
        },
        {
          name: `events a second, ${many} visitors`,
          value: large.events.acked / (large.durationMs / 1000),
          unit: '1/s',
        },
        {
          name: `memory per visitor, slope ${few} to ${many}`,
          value: slope,
          unit: 'bytes',
          ...(context.smoke ? {} : { bound: bytesPerVisitorBound }),
        },
      ],
      problems: [...problemsOf(small, `${few} visitors`), ...problemsOf(large, `${many} visitors`)],
    };
  } finally {
    await server.stop();
  }
}

export const generator: Scenario = {
  name: 'generator',
  question: 'What does one event of a visitor cost the generator, in CPU and memory?',
  notMeasured: 'a real collector: a null server answers at once, so nothing ever waits',
  run,
};
