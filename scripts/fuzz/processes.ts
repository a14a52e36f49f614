/** What the fuzzer starts: a collector with a Redis of its own, and a crowd that is counted exactly beside it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CrowdbeatError } from '../../server/base/errors.ts';
import type { ServeReady } from '../collector-process.ts';
import { packageRoot } from '../home.ts';

const entry = (): string => join(packageRoot(), 'dist', 'scripts', 'crowdbeat.js');
const crowdVisitors = 200;

/** A directory for everything that a run makes; nothing of it is in the checkout. */
export function makeHome(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'crowdbeat-fuzz-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** A child process with what it said. */
class Child {
  readonly process: ChildProcess;
  readonly ended: Promise<string>;
  said = '';

  constructor(args: readonly string[], home: string) {
    const { REDIS_URL: _ignored, ...environment } = process.env;
    this.process = spawn(process.execPath, [entry(), ...args], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: { ...environment, CROWDBEAT_HOME: home },
    });
    for (const stream of [this.process.stdout, this.process.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        // The last words are what counts; a million requests may leave many lines.
        this.said = (this.said + chunk.toString()).slice(-20_000);
      });
    }
    this.ended = new Promise((resolve) => {
      this.process.once('close', (code, signal) => resolve(signal ?? `code ${code}`));
      this.process.once('error', (error) => resolve(error.message));
    });
  }
}

export interface FuzzedCollector {
  readonly url: URL;
  readonly pid: number;
  /** Set when it ended though nobody asked it to: `SIGSEGV`, `code 1`. */
  readonly death: () => string | undefined;
  /** What it said last, on stdout and stderr. */
  readonly said: () => string;
  stop(): Promise<string>;
}

/** Throws CB_COLLECTOR_START with its words. */
export async function startFuzzedCollector(home: string): Promise<FuzzedCollector> {
  const child = new Child(['serve', '--port', '0', '--open', '--data-dir', join(home, 'redis')], home);
  let death: string | undefined;
  void child.ended.then((how) => {
    death = how;
  });
  const ready = new Promise<ServeReady>((resolve) => {
    child.process.once('message', (message) => resolve(message as ServeReady));
  });
  const first = await Promise.race([ready, child.ended]);
  if (typeof first === 'string')
    throw new CrowdbeatError('CB_COLLECTOR_START', `the collector ended with ${first}: ${child.said}`);
  return {
    url: new URL(first.listening),
    pid: child.process.pid ?? 0,
    death: () => death,
    said: () => child.said,
    stop: () => {
      child.process.kill('SIGTERM');
      return child.ended;
    },
  };
}

export interface CrowdVerdict {
  readonly isExact: boolean;
  readonly words: string;
}

export interface Crowd {
  /** Sends its visitors home and resolves with what its audit found. */
  stop(): Promise<CrowdVerdict>;
}

/** A crowd of 200 that goes on until it is stopped. */
export function startCrowd(url: URL, home: string): Crowd {
  const file = join(home, 'crowd.json');
  const options = [
    '--target',
    url.origin,
    '--property',
    'crowd/exact',
    '--duration',
    'forever',
    '--json',
    file,
  ];
  const child = new Child(['sim', String(crowdVisitors), ...options], home);
  return {
    async stop() {
      child.process.kill('SIGINT');
      const how = await child.ended;
      return how === 'code 0'
        ? { isExact: true, words: auditWords(file) }
        : { isExact: false, words: `the crowd ended with ${how}: ${child.said}` };
    },
  };
}

function auditWords(file: string): string {
  const result = JSON.parse(readFileSync(file, 'utf8')) as { readonly audit?: unknown };
  return JSON.stringify(result.audit ?? 'no audit').slice(0, 300);
}
