/** The replies of the collector's HTTP API, as JSON objects. */
import type { RejectReason } from './event.ts';

/** What the acknowledgement of a write promises. */
export type Durability = 'queued' | 'stored' | 'fsynced' | 'replicated';

export interface EventResult {
  /** Position of the event in the request, from 0. */
  readonly index: number;
  readonly status: 'duplicate' | 'rejected';
  readonly reason?: RejectReason;
  /** The rule that was broken, for people. */
  readonly message?: string;
}

/** Reply to `POST /write`: 200, or 400 when every event was rejected. */
export interface WriteReply {
  readonly durability: Durability;
  readonly accepted: number;
  readonly duplicates: number;
  readonly rejected: number;
  /** Only the events that were not accepted. */
  readonly results: readonly EventResult[];
}

/** Reply to `GET /count`; `expired` when the bucket's retention is over and no true number can be given. */
export type CountReply = { readonly count: number } | { readonly expired: true };

/** Reply to `GET /totals`: what is stored now. */
export interface TotalsReply {
  readonly byType: Readonly<Record<string, number>>;
  /** Distinct sessions, counted from the session index. */
  readonly sessions: number;
  /** Documents, counted from the stored chunks and not from a counter. */
  readonly documents: number;
}

/** Reply of every request that failed as a whole. */
export interface ErrorReply {
  readonly status: number;
  readonly code: string;
  readonly message: string;
}

/** Reply to `GET /health`. */
export interface HealthReply {
  readonly overall: { readonly status: 'PASSED' | 'FAILED' };
  readonly collector: {
    readonly version: string;
    /** The process that answered, and the figures below are its own. */
    readonly pid: number;
    /** Its number, from 1, among the `workers` processes that serve this port. */
    readonly worker: number;
    readonly workers: number;
    readonly uptimeMs: number;
  };
  readonly redis: { readonly status: 'connected' | 'away'; readonly version?: string };
  readonly queue: { readonly events: number; readonly bytes: number };
}
