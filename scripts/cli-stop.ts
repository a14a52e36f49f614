/** `crowdbeat stop [N]`: ends the live run, or sends N of its visitors home. scripts/stopSim is a shell over it. */
import type { Argv } from 'yargs';
import { CrowdbeatError } from '../server/base/errors.ts';
import { exitCodes } from '../server/base/exit-codes.ts';
import { visitorsMax } from '../sim/run/index.ts';
import { askRun, type ControlReply } from './control-socket.ts';
import { findHome } from './home.ts';

export const stopBuilder = (yargs: Argv) =>
  yargs
    .positional('visitors', {
      type: 'string',
      describe: 'send this many visitors home; none given: end the run',
    })
    .epilogue('Without a live run it says so and exits 0.');

export async function stopCommand(visitors: string | undefined): Promise<number> {
  const say = (reply: ControlReply): void => void process.stdout.write(`crowdbeat: ${reply.text}\n`);
  const count = visitors === undefined ? undefined : readCount(visitors);
  const { state } = findHome();
  const reply =
    count === undefined
      ? await askRun(state, { command: 'stop' }, say)
      : await askRun(state, { command: 'sendHome', visitors: count }, say);
  if (reply === undefined) say({ ok: true, text: 'no run is live' });
  return reply === undefined || reply.ok ? exitCodes.ok : exitCodes.error;
}

function readCount(text: string): number {
  if (/^\d+$/.test(text) && Number(text) >= 1 && Number(text) <= visitorsMax) return Number(text);
  throw new CrowdbeatError(
    'CB_OPTION',
    `stop: needs a whole number from 1 to ${visitorsMax}, got ${JSON.stringify(text)}`,
  );
}
