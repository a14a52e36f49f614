/** Sends one case over a connection of its own and notes what comes back until the collector closes it. */
import { connect, type Socket } from 'node:net';
import type { FuzzCase } from './cases.ts';

export interface Outcome {
  /** Of all replies, in their order. */
  readonly statuses: readonly number[];
  /** The collector left the connection open though it had been told that nothing more would come. */
  readonly isHung: boolean;
  /** The end of what came, for a report. */
  readonly tail: string;
}

/** More than any deadline of the collector for a request that it has whole: its commits give up after 5 s. */
const hungMs = 20_000;
/** A reply takes a few milliseconds, of a busy collector some more. */
const quietMs = 80;
const tailLength = 1000;

/** Every address in 127/8 is this machine: with many of them no port has to rest before it is used again. */
const addressOf = (number: number): string =>
  `127.0.${1 + (Math.floor(number / 250) % 250)}.${1 + (number % 250)}`;

export function sendCase(port: number, fuzzCase: FuzzCase): Promise<Outcome> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', localAddress: addressOf(fuzzCase.number) });
    const reader = new StatusReader();
    let isHung = false;
    const deadline = setTimeout(() => {
      isHung = true;
      socket.destroy();
    }, hungMs);
    socket.setNoDelay(true).setEncoding('latin1');
    let quiet: NodeJS.Timeout | undefined;
    // Nothing may come for long, where what was sent is the beginning of something longer.
    const endWhenQuiet = (): void => {
      clearTimeout(quiet);
      if (reader.statuses.length >= fuzzCase.requests) socket.end();
      else quiet = setTimeout(() => socket.end(), quietMs);
    };
    socket.on('data', (text) => {
      reader.take(String(text));
      if (quiet !== undefined) endWhenQuiet();
    });
    // A reset is an answer too: 'close' follows.
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      clearTimeout(deadline);
      clearTimeout(quiet);
      resolve({ statuses: reader.statuses, isHung, tail: reader.tail });
    });
    void sendPieces(socket, fuzzCase).then(() => {
      if (fuzzCase.ending === 'wait') endWhenQuiet();
    });
  });
}

async function sendPieces(socket: Socket, { pieces, pauseMs, ending }: FuzzCase): Promise<void> {
  for (const piece of pieces) {
    if (socket.destroyed) return;
    socket.write(piece);
    if (pieces.length > 1) await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
  if (ending === 'end') socket.end();
  else if (ending === 'reset') setTimeout(() => socket.resetAndDestroy(), pauseMs);
}

/** Finds the status lines in a stream of text. No request of ours has one in it, so no reply can quote one. */
class StatusReader {
  readonly statuses: number[] = [];
  tail = '';
  #unread = '';

  take(text: string): void {
    this.tail = (this.tail + text).slice(-tailLength);
    const seen = this.#unread + text;
    let readTo = 0;
    for (const match of seen.matchAll(/HTTP\/1\.1 (\d{3}) /g)) {
      this.statuses.push(Number(match[1]));
      readTo = match.index + match[0].length;
    }
    // A line may come in two pieces; one that was counted must not be counted again.
    this.#unread = seen.slice(Math.max(readTo, seen.length - 12));
  }
}
