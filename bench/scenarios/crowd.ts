/** Crowds of 100, 1,000 and 10,000 against our own collector and Redis, everything on this machine. */
import { problemsOf, runCrowd } from './crowd-process.ts';
import type { Scenario, ScenarioContext, ScenarioFigure, ScenarioReport } from './scenario.ts';

const responseP99MsBound = 20;

async function run(context: ScenarioContext): Promise<ScenarioReport> {
  const sizes = context.smoke ? [20] : [100, 1000, 10_000];
  const duration = context.smoke ? '3s' : '60s';
  const figures: ScenarioFigure[] = [];
  const problems: string[] = [];
  for (const visitors of sizes) {
    context.say(`${visitors} visitors for ${duration} …`);
    const result = await runCrowd(context, `crowd-${visitors}`, [String(visitors), '--duration', duration]);
    const { response, lateness } = result.latencyMsAfterRamp;
    const bound = visitors <= 1000 && !context.smoke ? { bound: responseP99MsBound } : {};
    figures.push(
      { name: `${visitors} visitors: response p50 after the ramp`, value: response.p50, unit: 'ms' },
      {
        name: `${visitors} visitors: response p99 after the ramp`,
        value: response.p99,
        unit: 'ms',
        ...bound,
      },
      { name: `${visitors} visitors: lateness p99 after the ramp`, value: lateness.p99, unit: 'ms' },
      { name: `${visitors} visitors: events acknowledged`, value: result.events.acked, unit: 'events' },
      {
        name: `${visitors} visitors: events lost`,
        value: result.events.planned - result.events.acked,
        unit: 'events',
        bound: 0,
      },
      {
        name: `${visitors} visitors: generator CPU`,
        value: result.generator.cpuUsPerEvent,
        unit: 'us/event',
      },
    );
    problems.push(...problemsOf(result, `${visitors} visitors`));
  }
  return { figures, problems };
}

export const crowd: Scenario = {
  name: 'crowd',
  question:
    'Do crowds of 100, 1,000 and 10,000 visitors get every event counted, and how fast are the answers?',
  notMeasured:
    'a network between visitors and collector: all three programs share this machine and its cores',
  run,
};
