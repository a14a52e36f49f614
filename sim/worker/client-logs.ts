/**
 * One log file per simulated client, one line per act, for people who `tail -f logs/*.log`.
 *
 * Lines are kept in memory and written a few times a second, so the crowd's loop never waits for a disk.
 * The first write that fails (full disk, no permission) stops logging and is reported once; the run goes on.
 */
import { appendFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../../server/base/errors.ts';

export interface ClientLogOptions {
  readonly directory: string;
  /** Slots below this number are logged. */
  readonly clients: number;
  /** Told once, when logging stopped. */
  readonly onStopped: (reason: string) => void;
}

const flushIntervalMs = 250;
const filesAtOnce = 16;

/** `client-00001.log` for slot 0: people count from one. */
export function clientLogName(slot: number): string {
  return `client-${String(slot + 1).padStart(5, '0')}.log`;
}

export class ClientLogs {
  readonly #options: ClientLogOptions;
  readonly #pending = new Map<number, string[]>();
  readonly #started = new Set<number>();
  #timer: NodeJS.Timeout | undefined;
  #flushing: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(options: ClientLogOptions) {
    this.#options = options;
    this.#timer = setInterval(() => void this.flush(), flushIntervalMs);
    this.#timer.unref();
  }

  wants(slot: number): boolean {
    return slot < this.#options.clients && !this.#stopped;
  }

  /** Adds a line; `timeMs` is epoch ms. Call only for slots that are wanted. */
  line(slot: number, timeMs: number, text: string): void {
    const line = `${new Date(timeMs).toISOString()} ${text}\n`;
    const lines = this.#pending.get(slot);
    if (lines === undefined) this.#pending.set(slot, [line]);
    else lines.push(line);
  }

  /** Writes what is pending; flushes follow one another, never side by side. */
  flush(): Promise<void> {
    this.#flushing = this.#flushing.then(() => this.#write());
    return this.#flushing;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#timer = undefined;
    await this.flush();
  }

  async #write(): Promise<void> {
    const batch = [...this.#pending];
    this.#pending.clear();
    if (this.#stopped) return;
    try {
      if (batch.length > 0) await mkdir(this.#options.directory, { recursive: true });
      for (let at = 0; at < batch.length; at += filesAtOnce) {
        await Promise.all(
          batch.slice(at, at + filesAtOnce).map(([slot, lines]) => this.#writeFile(slot, lines)),
        );
      }
    } catch (error) {
      this.#stopped = true;
      this.#pending.clear();
      // The message of a full disk names no file.
      this.#options.onStopped(`client logs stopped: ${this.#options.directory}: ${messageOf(error)}`);
    }
  }

  /** The first write of a run replaces the file of the run before, so that a log tells of one run. */
  async #writeFile(slot: number, lines: string[]): Promise<void> {
    const path = join(this.#options.directory, clientLogName(slot));
    if (this.#started.has(slot)) return appendFile(path, lines.join(''));
    this.#started.add(slot);
    return writeFile(path, lines.join(''));
  }
}
