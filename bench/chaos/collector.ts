/** A collector as a process of its own that may be killed and started again on the same port. */
import type { ChildProcess } from 'node:child_process';
import { crowdbeatProgram, endChild, eventually, startChild } from './children.ts';

const aboutRedis =
  /^crowdbeat: Redis: (?:the connection is lost; trying again until it is back|back after .*)\n/gm;

export class Collector {
  readonly #redisUrl: string;
  #port = 0;
  #child: ChildProcess | undefined;
  #said = '';

  constructor(redisUrl: string) {
    this.#redisUrl = redisUrl;
  }

  /** Any free port the first time, the same one ever after. */
  get port(): number {
    return this.#port;
  }

  get url(): URL {
    return new URL(`http://127.0.0.1:${this.#port}`);
  }

  get isRunning(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** What it wrote to stderr, but for Redis going and coming: a healthy collector has nothing more to say there. */
  get said(): string {
    return this.#said.replace(aboutRedis, '');
  }

  /** As whoever looks after a process does: one that does not start, as its Redis is away, is started again. */
  async start(): Promise<void> {
    await eventually('a collector listens', () => this.#startOnce());
  }

  async kill(): Promise<void> {
    await endChild(this.#child, 'SIGKILL');
  }

  async stop(): Promise<void> {
    await endChild(this.#child, 'SIGTERM');
  }

  async #startOnce(): Promise<boolean> {
    const args = [
      crowdbeatProgram(),
      'serve',
      '--port',
      String(this.#port),
      '--redis',
      this.#redisUrl,
      '--open',
      '--quiet',
    ];
    // The channel tells when it listens, and ends the collector when our own process is gone.
    const child = startChild(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
    this.#child = child;
    let complaint = '';
    child.stderr?.on('data', (bytes: Buffer) => {
      complaint += bytes.toString();
    });
    const listening = await new Promise<string | undefined>((resolve) => {
      child.once('message', (message) => resolve((message as { listening: string }).listening));
      child.once('exit', () => resolve(undefined));
    });
    if (listening === undefined) return false;
    this.#said += complaint;
    child.stderr?.on('data', (bytes: Buffer) => {
      this.#said += bytes.toString();
    });
    this.#port = Number(new URL(listening).port);
    return true;
  }
}
