/** A Redis of our own that may be stopped, killed, frozen and emptied: a Unix socket in a scratch directory. */
import type { ChildProcess } from 'node:child_process';
import { mkdirSync, readdirSync, statSync, truncateSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { endChild, eventually, startChild } from './children.ts';

export type Fsync = 'everysec' | 'always';

export class PrivateRedis {
  readonly socketPath: string;
  readonly #directory: string;
  readonly #fsync: Fsync;
  #child: ChildProcess | undefined;

  constructor(directory: string, fsync: Fsync) {
    mkdirSync(directory);
    this.#directory = directory;
    this.#fsync = fsync;
    this.socketPath = join(directory, 'redis.sock');
  }

  async start(): Promise<void> {
    const options = {
      port: 0,
      unixsocket: this.socketPath,
      dir: this.#directory,
      save: '',
      appendonly: 'yes',
    };
    const args = Object.entries({ ...options, appendfsync: this.#fsync }).flatMap(([name, value]) => [
      `--${name}`,
      String(value),
    ]);
    this.#child = startChild('redis-server', args, { stdio: 'ignore' });
    await eventually('redis-server answers', async () => (await this.#ask('PING')) === '+PONG');
  }

  /** SIGTERM: Redis writes down what it has and ends. */
  async shutDown(): Promise<void> {
    await endChild(this.#child, 'SIGTERM');
  }

  async kill(): Promise<void> {
    await endChild(this.#child, 'SIGKILL');
  }

  freeze(): void {
    this.#child?.kill('SIGSTOP');
  }

  thaw(): void {
    this.#child?.kill('SIGCONT');
  }

  async flushAll(): Promise<void> {
    await eventually('FLUSHALL was done', async () => (await this.#ask('FLUSHALL')) === '+OK');
  }

  async configure(name: string, value: string): Promise<void> {
    const command = `CONFIG SET ${name} ${value}`;
    await eventually(`${command} was done`, async () => (await this.#ask(command)) === '+OK');
  }

  /** Bytes of the append-only file that grows. */
  appendOnlyBytes(): number {
    return statSync(this.#appendOnlyFile()).size;
  }

  /**
   * Cuts the append-only file back, while Redis is dead. A killed process loses nothing that it wrote to a
   * file; a machine that loses power loses what was not synced, and this is what its disk would hold then.
   */
  cutAppendOnly(bytes: number): void {
    truncateSync(this.#appendOnlyFile(), bytes);
  }

  #appendOnlyFile(): string {
    const folder = join(this.#directory, 'appendonlydir');
    const names = readdirSync(folder).filter((name) => name.endsWith('.incr.aof'));
    return join(folder, names.sort().at(-1) ?? '');
  }

  /** One command and the first line of its answer; undefined if nobody answers. */
  #ask(command: string): Promise<string | undefined> {
    return new Promise((resolve) => {
      const socket = connect(this.socketPath);
      let text = '';
      const end = (answer: string | undefined): void => {
        socket.destroy();
        resolve(answer);
      };
      socket.setTimeout(5000, () => end(undefined));
      socket.on('error', () => end(undefined));
      socket.on('close', () => end(undefined));
      socket.on('data', (bytes) => {
        text += bytes.toString();
        const line = /^(.*)\r\n/.exec(text)?.[1];
        if (line !== undefined) end(line);
      });
      socket.write(`${command}\r\n`);
    });
  }
}
