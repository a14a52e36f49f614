/** `crowdbeat flush config.json`: writes an event for each session of a session store that falls silent. */
import { readFileSync } from 'node:fs';
import type { Argv } from 'yargs';
import { CrowdbeatError, messageOf } from '../server/base/errors.ts';
import { flushTargetOf } from '../server/sessions/flush-client.ts';
import { type FlushConfig, readFlushConfig } from '../server/sessions/flush-config.ts';
import { type FlushReport, flush } from '../server/sessions/flusher.ts';

interface FlushCommandArguments {
  readonly config?: string | undefined;
  readonly once?: boolean | undefined;
}

export const flushBuilder = (yargs: Argv) =>
  yargs
    .positional('config', {
      type: 'string',
      describe: 'JSON with server, session, timeoutSeconds and, where needed, username, password, property',
    })
    .option('once', { type: 'boolean', describe: 'flush what has departed by now, and end' });

/** Runs until SIGTERM or SIGINT; what it is at is finished then. Resolves with the exit code. */
export async function flushCommand({ config: path, once }: FlushCommandArguments): Promise<number> {
  const config = readConfig(path);
  const target = flushTargetOf(config);
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  const stop = stopRequest();
  const words = new Words(say);
  do {
    try {
      words.passed(await flush(target, config.timeoutMs, say));
    } catch (thrown) {
      // What passes by itself is said once and tried again; what won't pass ends the program.
      if (!(thrown instanceof CrowdbeatError) || thrown.code !== 'CB_TARGET_UNREACHABLE' || once)
        throw thrown;
      words.failed(messageOf(thrown));
    }
  } while (!once && (await stop.within(config.pollMs)) === undefined);
  return 0;
}

function readConfig(path: string | undefined): FlushConfig {
  if (path === undefined) throw new CrowdbeatError('CB_OPTION', 'flush: needs a configuration file');
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (thrown) {
    throw new CrowdbeatError('CB_FILE', `flush: cannot read ${path}: ${messageOf(thrown)}`);
  }
  return readFlushConfig(text, path);
}

/** Says what is new; a store in which nothing happens is no news. */
class Words {
  readonly #say: (line: string) => void;
  #last = '';

  constructor(say: (line: string) => void) {
    this.#say = say;
  }

  passed({ written, duplicates, refused }: FlushReport): void {
    for (const line of refused) this.#say(`no event was accepted for ${line}`);
    const isNews = written + duplicates + refused.length > 0;
    if (isNews) this.#once(`Flushed ${written}; ${duplicates} had been written already`, true);
    else this.#once('nothing to flush', false);
  }

  failed(why: string): void {
    this.#once(`${why}; trying again`, false);
  }

  #once(line: string, isNews: boolean): void {
    if (isNews || line !== this.#last) this.#say(line);
    this.#last = line;
  }
}

interface StopRequest {
  /** Resolves with the signal, or with undefined when the time is over. */
  within(ms: number): Promise<string | undefined>;
}

function stopRequest(): StopRequest {
  let signal: string | undefined;
  let wake = (): void => {};
  for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    process.on(name, () => {
      signal = name;
      wake();
    });
  }
  return {
    within(ms) {
      if (signal !== undefined) return Promise.resolve(signal);
      return new Promise((resolve) => {
        const timer = setTimeout(() => resolve(undefined), ms);
        wake = () => {
          clearTimeout(timer);
          resolve(signal);
        };
      });
    },
  };
}
