/**
 * What a network and a device do to a visitor's events on their way, as probabilities. Each is planned: it follows
 * from the visitor's own stream and never from an answer, and each is counted in the ledger.
 *
 *   {"duplicate": {"share": 0.01, "withinMs": 2000},     sent a second time, up to so much later
 *    "delay": {"share": 0.02, "medianMs": 1500, "sigma": 1, "maxMs": 20000},   sent late; what follows overtakes it
 *    "lostAtUnload": 0.05,                                a visit's last event is never sent
 *    "clockSkew": {"share": 0.02, "offsetsMs": [-3600000, 90000]},   a person's clock is so far off
 *    "drop": 0.001}                                       the answer does not arrive: sent again
 */
import { limits } from '../../server/protocol/limits.ts';
import { logNormal } from '../random/distributions.ts';
import type { RandomStream } from '../random/random-stream.ts';
import { readList, readNumber, readObject, refuse } from './site-fields.ts';

export interface NetworkLife {
  readonly duplicate: { readonly share: number; readonly withinMs: number };
  readonly delay: {
    readonly share: number;
    readonly medianMs: number;
    readonly sigma: number;
    readonly maxMs: number;
  };
  /** Of visits. */
  readonly lostAtUnload: number;
  /** Of people. */
  readonly clockSkew: { readonly share: number; readonly offsetsMs: readonly number[] };
  /** Of events: the first answer to them is not heard. */
  readonly drop: number;
}

export const quietNetwork: NetworkLife = {
  duplicate: { share: 0, withinMs: 0 },
  delay: { share: 0, medianMs: 1, sigma: 0, maxMs: 0 },
  lostAtUnload: 0,
  clockSkew: { share: 0, offsetsMs: [] },
  drop: 0,
};

/** True if something happens to events on their way; a wrong clock is the visitor's own. */
export function isQuiet({ duplicate, delay, lostAtUnload, drop }: NetworkLife): boolean {
  return duplicate.share + delay.share + lostAtUnload + drop === 0;
}

/** How far back the slowest clock is, in ms. */
export function backMsOf({ clockSkew }: NetworkLife): number {
  return Math.max(0, ...clockSkew.offsetsMs.map((ms) => -ms));
}

/**
 * The collector counts an event in the bucket of its own time if that lies within these limits. So near to one that
 * a slow answer would decide on which side an event falls, no clock may be.
 */
const aheadMsMax = limits.eventAheadMsMax - 60_000;
/** The audit asks for every minute so far back once, before the run. */
const backMsMax = 6 * 3_600_000;

/** @throws CrowdbeatError CB_OPTION, naming the member, the rule and the value */
export function readNetworkLife(path: string, input: unknown): NetworkLife {
  const fields = readObject(path, input, Object.keys(quietNetwork));
  const share = (name: string, value: unknown): number => readNumber(`${path}.${name}`, value ?? 0, 0, 1);
  const duplicate = readObject(`${path}.duplicate`, fields['duplicate'] ?? {}, ['share', 'withinMs']);
  const delay = readObject(`${path}.delay`, fields['delay'] ?? {}, ['share', 'medianMs', 'sigma', 'maxMs']);
  const skew = readObject(`${path}.clockSkew`, fields['clockSkew'] ?? {}, ['share', 'offsetsMs']);
  const skewShare = share('clockSkew.share', skew['share']);
  return {
    duplicate: {
      share: share('duplicate.share', duplicate['share']),
      withinMs: readNumber(`${path}.duplicate.withinMs`, duplicate['withinMs'] ?? 2000, 0, 600_000),
    },
    delay: {
      share: share('delay.share', delay['share']),
      medianMs: readNumber(`${path}.delay.medianMs`, delay['medianMs'] ?? 1500, 1, 600_000),
      sigma: readNumber(`${path}.delay.sigma`, delay['sigma'] ?? 1, 0, 3),
      maxMs: readNumber(`${path}.delay.maxMs`, delay['maxMs'] ?? 20_000, 1, 600_000),
    },
    lostAtUnload: share('lostAtUnload', fields['lostAtUnload']),
    clockSkew: {
      share: skewShare,
      offsetsMs: skewShare === 0 ? [] : readOffsets(`${path}.clockSkew.offsetsMs`, skew['offsetsMs']),
    },
    drop: share('drop', fields['drop']),
  };
}

function readOffsets(path: string, input: unknown): number[] {
  return readList(path, input).map((offset, at) => {
    const ms = readNumber(`${path}[${at}]`, offset, -backMsMax, aheadMsMax);
    if (!Number.isInteger(ms)) refuse(`${path}[${at}]`, 'needs a whole number of milliseconds', ms);
    return ms;
  });
}

/** What becomes of one event on its way. */
export interface Passage {
  /** Sent so much later than meant; 0: at once. */
  readonly delayMs: number;
  /** Sent a second time so long after the first; -1: not. */
  readonly againAfterMs: number;
  /** The first answer is not heard. */
  readonly isDropped: boolean;
  /** Never sent, if it turns out to be the last of its visit. */
  readonly isLostIfLast: boolean;
}

/** Draws seven uniforms, whatever comes of them. */
export function drawPassage(life: NetworkLife, stream: RandomStream): Passage {
  const isDuplicated = stream.next() < life.duplicate.share;
  const againAfterMs = stream.next() * life.duplicate.withinMs;
  const isDelayed = stream.next() < life.delay.share;
  const delayMs = Math.min(logNormal(stream, life.delay.medianMs, life.delay.sigma), life.delay.maxMs);
  return {
    delayMs: isDelayed ? delayMs : 0,
    againAfterMs: isDuplicated ? againAfterMs : -1,
    isDropped: stream.next() < life.drop,
    isLostIfLast: stream.next() < life.lostAtUnload,
  };
}
