/**
 * `npm run fuzz -- --seed S --requests N`: spoilt requests against a real collector and a real Redis, beside a crowd
 * that must be counted exactly. Ends with 0 if there was no crash, no 5xx but 503, no connection left hanging, no
 * growing memory and an exact audit; docs/fuzz.md says more.
 */
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { systemClock } from '../../server/base/clock.ts';
import { CrowdbeatError, messageOf } from '../../server/base/errors.ts';
import { makeHome, startCrowd, startFuzzedCollector } from './processes.ts';
import { reportText } from './report.ts';
import { faultsOf, fuzz } from './run.ts';

function wholeNumber(name: string, text: string, min: number): number {
  if (/^\d{1,10}$/.test(text) && Number(text) >= min) return Number(text);
  throw new CrowdbeatError(
    'CB_OPTION',
    `--${name}: needs a whole number from ${min}, got ${JSON.stringify(text)}`,
  );
}

function readOptions(words: string[]) {
  const { values } = parseArgs({
    args: words,
    options: { seed: { type: 'string' }, requests: { type: 'string' }, case: { type: 'string' } },
  });
  return {
    seed: values.seed === undefined ? randomInt(2 ** 31) : wholeNumber('seed', values.seed, 0),
    requests: wholeNumber('requests', values.requests ?? '1000000', 1),
    firstCase: wholeNumber('case', values.case ?? '0', 0),
  };
}

const progressEverySeconds = 10;

async function main(words: string[]): Promise<number> {
  const options = readOptions(words);
  process.stdout.write(`fuzz: seed ${options.seed}, ${options.requests} requests\n`);
  let saidAt = 0;
  const onProgress = (sent: number, seconds: number): void => {
    if (seconds - saidAt < progressEverySeconds) return;
    saidAt = seconds;
    process.stdout.write(`fuzz: ${sent} requests after ${Math.round(seconds)} s\n`);
  };
  const home = makeHome();
  try {
    const collector = await startFuzzedCollector(home.path);
    const crowd = startCrowd(collector.url, home.path);
    const result = await fuzz({ ...options, clock: systemClock, onProgress }, collector, crowd);
    const how = await collector.stop();
    process.stdout.write(reportText(result, options.seed));
    const isWell = faultsOf(result, options.seed).length === 0 && how === 'code 0';
    if (!isWell)
      process.stdout.write(`the collector ended with ${how}; its last words:\n${collector.said()}\n`);
    return isWell ? 0 : 1;
  } finally {
    home.remove();
  }
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (thrown) {
  process.stderr.write(`fuzz: ${messageOf(thrown)}\n`);
  process.exitCode = 1;
}
