/**
 * What is true of a person of a richer crowd at each of its visits: drawn from the person's own stream, after its
 * profile, and derived again each time the person comes back.
 */
import type { RandomStream } from '../random/random-stream.ts';
import type { CrowdExtras } from './extras.ts';

export interface Traits {
  /** Position in the crowd's kinds of bots; -1 for people. */
  readonly bot: number;
  /** Had an account before the run. */
  readonly isMember: boolean;
  /** The person's variant of each experiment. */
  readonly variants: readonly number[];
  /** How far the person's clock is ahead; below zero: behind. */
  readonly clockSkewMs: number;
}

/** Draws one uniform for each trait, whatever comes out of the others. */
export function drawTraits(extras: CrowdExtras, stream: RandomStream): Traits {
  const isBot = stream.next() < extras.bots.share;
  const botKind = extras.botChoice.sample(stream);
  const isMember = stream.next() < extras.memberShare;
  const variants = extras.experiments.map((experiment) => experiment.choice.sample(stream));
  const { share, offsetsMs } = extras.network.clockSkew;
  const isSkewed = stream.next() < share;
  const offsetMs = offsetsMs[stream.int(Math.max(1, offsetsMs.length))] ?? 0;
  return {
    bot: isBot ? botKind : -1,
    isMember: isMember && !isBot,
    variants,
    clockSkewMs: isSkewed ? offsetMs : 0,
  };
}
