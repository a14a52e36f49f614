/** The frame of a program: its exit code, and one sentence for what goes wrong. */
import { CrowdbeatError, messageOf } from '../server/base/errors.ts';
import { exitCodes } from '../server/base/exit-codes.ts';

/** @param main resolves with the exit code; gets the words behind the program's name */
export async function runProgram(main: (words: readonly string[]) => Promise<number>): Promise<void> {
  try {
    process.exitCode = await main(process.argv.slice(2));
  } catch (error) {
    const hint = error instanceof CrowdbeatError && error.code === 'CB_OPTION' ? ' (see --help)' : '';
    // A stack only for what is our own mistake: everything else is said in one sentence.
    const text =
      error instanceof CrowdbeatError || !(error instanceof Error)
        ? messageOf(error)
        : (error.stack ?? error.message);
    process.stderr.write(`crowdbeat: ${text}${hint}\n`);
    process.exitCode = exitCodes.error;
  } finally {
    // An open channel to a parent would keep this process alive, also after an error.
    if (process.connected) process.disconnect();
  }
}
