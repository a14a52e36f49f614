/** `crowdbeat m1` as a program of its own: scripts/m1 starts it, at a third of the CPU that loading all commands takes. */
import { m1Command } from './cli-m1.ts';
import { runProgram } from './run-program.ts';

await runProgram(m1Command);
