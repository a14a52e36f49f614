/** Runs the compiled program as a user does: a process of its own, in a home of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../server/base/clock.ts';

export const program = fileURLToPath(new URL('../dist/scripts/crowdbeat.js', import.meta.url));
/** `crowdbeat m1` alone, which starts faster. */
export const m1Program = fileURLToPath(new URL('../dist/scripts/cli-m1-program.js', import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export class Program {
  readonly child: ChildProcess;
  stdout = '';
  stderr = '';
  readonly ended: Promise<Ended>;

  constructor(args: readonly string[], home: string, environment: NodeJS.ProcessEnv = {}, file = program) {
    const { REDIS_URL: _ignored, ...inherited } = process.env;
    this.child = spawn(process.execPath, [file, ...args], {
      env: { ...inherited, CROWDBEAT_HOME: home, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child.stdout?.on('data', (chunk: Buffer) => {
      this.stdout += chunk.toString();
    });
    this.child.stderr?.on('data', (chunk: Buffer) => {
      this.stderr += chunk.toString();
    });
    this.ended = new Promise((resolve) => {
      this.child.once('close', (code, signal) =>
        resolve({ code, signal, stdout: this.stdout, stderr: this.stderr }),
      );
    });
  }

  /** Waits until a pattern stands in what was printed; gives its match. */
  async says(pattern: RegExp): Promise<RegExpExecArray> {
    let match: RegExpExecArray | null = null;
    await until(`${pattern} in ${JSON.stringify(this.stdout + this.stderr)}`, () => {
      match = pattern.exec(this.stdout + this.stderr);
      return match !== null;
    });
    return match as unknown as RegExpExecArray;
  }
}

/** Looks every 20 ms; fails with what it was waiting for. */
export async function until(what: string, condition: () => boolean, deadlineMs = 30_000): Promise<void> {
  const endMs = systemClock.monotonicMs() + deadlineMs;
  while (!condition()) {
    if (systemClock.monotonicMs() > endMs) throw new Error(`waited ${deadlineMs} ms for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

export function makeHome(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'crowdbeat-home-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** True while a process exists and is no zombie. */
export function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    // No such process.
    return false;
  }
  const stat = `/proc/${pid}/stat`;
  return !existsSync(stat) || !/\) Z /.test(readFileSync(stat, 'utf8'));
}
