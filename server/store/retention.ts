/** How long each kind of key is kept. One table; an option of the store may override entries. */
import { bucketEndMs, type Granularity } from '../base/time-bucket.ts';

const dayMs = 86_400_000;

/** Milliseconds after the end of the bucket (of the day, for sessions); undefined = kept for ever. */
export interface Retention {
  readonly minute: number | undefined;
  readonly hour: number | undefined;
  readonly day: number | undefined;
  readonly month: number | undefined;
  readonly year: number | undefined;
  readonly session: number | undefined;
  /** Of documents, counted from the receipt of the newest in their segment; see sweep-segments.ts. */
  readonly events: number | undefined;
}

export const defaultRetention: Retention = {
  minute: 8 * dayMs,
  hour: 62 * dayMs,
  day: 800 * dayMs,
  month: undefined,
  year: undefined,
  session: 90 * dayMs,
  events: undefined,
};

export function withDefaults(overrides: Partial<Retention> = {}): Retention {
  return { ...defaultRetention, ...overrides };
}

/** Epoch ms from which a bucket is neither written nor answered; Infinity when it is kept for ever. */
export function bucketExpiryMs(timeMs: number, granularity: Granularity, retention: Retention): number {
  const keptMs = retention[granularity];
  return keptMs === undefined ? Number.POSITIVE_INFINITY : bucketEndMs(timeMs, granularity) + keptMs;
}

/** More than any key lives beyond its expiry. */
export const expiryJitterMsMax = 3_600_000;

/**
 * Seconds that a key lives beyond its expiry: 0 to 3,599, from a hash of its name, so that the keys of
 * one bucket do not all die in the same instant. It only adds: a readable bucket is never cut short.
 */
export function expiryJitterSeconds(key: string): number {
  return fnv1a(key) % 3600;
}

function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}
