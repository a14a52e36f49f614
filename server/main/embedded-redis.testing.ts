/**
 * For tests: temporary data directories, questions to a server, and a second crowdbeat as a process of
 * its own (only a process can be killed), which runs this room compiled on the spot.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { systemClock } from '../base/clock.ts';
import { identifyProcess } from './embedded-redis-identity.ts';
import { type FsyncPolicy, pollUntil } from './embedded-redis-process.ts';
import { askRedis } from './embedded-redis-wire.ts';

const root = resolve(import.meta.dirname, '../..');

export function temporaryDirectory(): string {
  return mkdtempSync(join(tmpdir(), 'crowdbeat-redis-'));
}

/** The values of an answer; throws if there are none. */
export async function ask(url: string, ...command: string[]): Promise<readonly string[]> {
  const address = url.startsWith('/')
    ? { path: url }
    : { host: '127.0.0.1', port: Number(new URL(url).port) };
  const answer = await askRedis(address, command);
  if (answer.kind !== 'values') throw new Error(`${command.join(' ')}: ${answer.kind} ${answer.text}`);
  return answer.values;
}

/** True as soon as the condition holds, false after 20 seconds. */
export function eventually(holds: () => boolean): Promise<boolean> {
  return pollUntil(holds, systemClock, 20_000);
}

export function isGone(pid: number): boolean {
  return identifyProcess(pid) === undefined;
}

/** Compiles what startEmbeddedRedis needs into a directory; gives the path of the program for `OtherCrowdbeat`. */
export async function compileOther(directory: string): Promise<string> {
  const compilerOptions = {
    rootDir: root,
    outDir: join(directory, 'out'),
    incremental: false,
    tsBuildInfoFile: null,
    typeRoots: [join(root, 'node_modules/@types')],
  };
  const files = [join(root, 'server/main/embedded-redis.ts')];
  const config = { extends: join(root, 'tsconfig.build.json'), compilerOptions, files, include: [] };
  writeFileSync(join(directory, 'tsconfig.json'), JSON.stringify(config));
  await promisify(execFile)(join(root, 'node_modules/.bin/tsc'), ['-p', join(directory, 'tsconfig.json')]);
  mkdirSync(join(directory, 'out'), { recursive: true });
  writeFileSync(join(directory, 'out/package.json'), '{ "type": "module" }');
  const program = join(directory, 'out/other.js');
  writeFileSync(program, otherSource);
  return program;
}

const otherSource = `
import { startEmbeddedRedis } from './server/main/embedded-redis.js';
import { systemClock } from './server/base/clock.js';
const [dataDir, fsync] = process.argv.slice(2);
try {
  const redis = await startEmbeddedRedis({ dataDir, fsync, clock: systemClock, log() {} });
  console.log(JSON.stringify({ url: redis.url, pid: redis.pid, adopted: redis.adopted }));
} catch (error) {
  console.log(JSON.stringify({ error: error.message }));
}
process.stdin.on('data', (command) => {
  if (String(command) === 'exit') process.exit(0);
  if (String(command) === 'throw') setImmediate(() => { throw new Error('thrown on purpose'); });
});
`;

export interface OtherReport {
  readonly url?: string;
  readonly pid?: number;
  readonly adopted?: boolean;
  readonly error?: string;
}

/** A process that starts an embedded Redis and waits for a word on its stdin. */
export class OtherCrowdbeat {
  readonly #child: ChildProcess;
  readonly #report: Promise<OtherReport>;

  constructor(program: string, dataDir: string, fsync: FsyncPolicy = 'everysec') {
    this.#child = spawn(process.execPath, [program, dataDir, fsync], { stdio: ['pipe', 'pipe', 'ignore'] });
    this.#report = this.#firstLine();
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  report(): Promise<OtherReport> {
    return this.#report;
  }

  /** `exit` calls process.exit, `throw` throws where nobody catches. */
  tell(command: 'exit' | 'throw'): void {
    this.#child.stdin?.write(command);
  }

  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
  }

  async #firstLine(): Promise<OtherReport> {
    const { stdout } = this.#child;
    if (stdout === null) throw new Error('the other process has no stdout');
    for await (const line of createInterface({ input: stdout })) return JSON.parse(line);
    throw new Error('the other process ended without a report');
  }
}

/** Ends a server that a test left running, and removes its directory. */
export async function cleanUp(directory: string, pids: readonly (number | undefined)[]): Promise<void> {
  for (const pid of pids) {
    if (pid === undefined || !/^(?:redis|valkey)-server$/.test(identifyProcess(pid)?.command ?? '')) continue;
    process.kill(pid, 'SIGKILL');
    await eventually(() => isGone(pid));
  }
  rmSync(directory, { recursive: true, force: true });
}
