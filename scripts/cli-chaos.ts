/** `crowdbeat chaos [faults…]`: breaks what a crowd talks to, and shows that nothing is lost or miscounted. */
import { randomInt } from 'node:crypto';
import type { Argv } from 'yargs';
import { listFaults, runChaos } from '../bench/chaos/chaos.ts';
import { fullScale } from '../bench/chaos/fault.ts';
import { CrowdbeatError } from '../server/base/errors.ts';
import { exitCodes } from '../server/base/exit-codes.ts';

const seedMax = 4_294_967_295;
const defaultKills = 20;

export const chaosBuilder = (yargs: Argv) =>
  yargs
    .positional('faults', { type: 'string', array: true, describe: 'letters of faults (default: all)' })
    .option('list', { type: 'boolean', describe: 'only say which faults there are' })
    .option('seed', { type: 'string', describe: 'of crowds and random kills (default: any; it is printed)' })
    .option('visitors', { type: 'string', describe: `size of each crowd (default ${fullScale.visitors})` })
    .option('kills', { type: 'string', describe: `random kills (default ${defaultKills})` });

export async function chaosCommand(argv: Readonly<Record<string, unknown>>): Promise<number> {
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  const visitors = wholeNumber(argv, 'visitors', 1, 100_000) ?? fullScale.visitors;
  const kills = wholeNumber(argv, 'kills', 1, 1000) ?? defaultKills;
  const seed = wholeNumber(argv, 'seed', 0, seedMax) ?? randomInt(seedMax);
  const scale = { ...fullScale, visitors };
  if (argv['list'] === true) {
    for (const line of listFaults(scale, kills)) say(line);
    return exitCodes.ok;
  }
  // Only an exit runs the handlers that end what was started.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.once(signal, () => process.exit(exitCodes.interruptedTwice));
  const names = (argv['faults'] as string[] | undefined) ?? [];
  const good = await runChaos({ names, seed, kills, scale, say });
  return good ? exitCodes.ok : exitCodes.error;
}

function wholeNumber(
  argv: Readonly<Record<string, unknown>>,
  name: string,
  min: number,
  max: number,
): number | undefined {
  const raw = argv[name];
  if (raw === undefined) return undefined;
  const value = typeof raw === 'string' && /^\d+$/.test(raw) ? Number(raw) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw new CrowdbeatError(
    'CB_OPTION',
    `--${name}: needs a whole number from ${min} to ${max}, got ${JSON.stringify(raw)}`,
  );
}
