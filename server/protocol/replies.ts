/** The replies of the collector's HTTP API, as JSON objects. */
import type { RejectReason } from './event.ts';

/** What the acknowledgement of a write promises; `none` of one that was only asked about (`publish=false`). */
export type Durability = 'none' | 'queued' | 'stored' | 'fsynced' | 'replicated';

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

/** A user or visitor and the latest time, epoch ms, at which an event tied the two. */
export interface UserTie {
  readonly id: string;
  readonly time: number;
}

/** Reply to `GET /user-record?id=`. Times are epoch ms; null if no event told of one. */
export interface UserRecordReply {
  readonly id: string;
  readonly data: Readonly<Record<string, unknown>>;
  /** There were more members, or more bytes of them, than a record holds; those were left out. */
  readonly full?: true;
  readonly signupDate: number | null;
  readonly firstLogin: number | null;
  readonly lastLogin: number | null;
  readonly lastLogout: number | null;
  /** Time of the latest event that told of the user. */
  readonly updated: number | null;
  /** The latest first. */
  readonly visitors: readonly UserTie[];
}

/** Reply to `GET /user-record?visitor=`. */
export interface VisitorUsersReply {
  readonly visitor: string;
  /** Who the visitor is now; null after a logout. */
  readonly user: string | null;
  /** Everybody the visitor was, the latest first. */
  readonly users: readonly UserTie[];
}

/** Reply to `GET /count`; `expired` when the bucket's retention is over and no true number can be given. */
export type CountReply = { readonly count: number } | { readonly expired: true };

/** Reply to `GET /totals`: what is stored now. */
export interface TotalsReply {
  /** Events of people. */
  readonly byType: Readonly<Record<string, number>>;
  /** Events of bots, which are in no other count but those of sessions and documents. */
  readonly bots: Readonly<Record<string, number>>;
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

/** The state of Redis in the reply to `GET /health`; `info` is what it says itself, if it answers. */
export interface RedisHealth {
  readonly status: 'connected' | 'away';
  readonly version?: string;
  /** ISO 8601. */
  readonly awaySince?: string;
  readonly lastError?: string;
  readonly info?: {
    readonly loading: boolean;
    readonly aof: { readonly enabled: boolean; readonly lastWrite: 'ok' | 'err' };
    /** `maxBytes` 0 = no limit. */
    readonly memory: { readonly usedBytes: number; readonly maxBytes: number; readonly policy: string };
    readonly replication: {
      readonly role: string;
      readonly replicas: number;
      readonly masterLink: 'up' | 'down';
    };
  };
}

/** Reply to `GET /health`. */
export interface HealthReply {
  /** FAILED while something stops writes. */
  readonly overall: { readonly status: 'PASSED' | 'FAILED' };
  /** What is wrong, in words; also what does not stop writes yet. */
  readonly problems: readonly string[];
  readonly collector: {
    readonly version: string;
    /** `sha256:…` over its programs and packages: two that are equal run the same build. */
    readonly build?: string;
    /** The process that answered, and the figures below are its own. */
    readonly pid: number;
    /** Its number, from 1, among the `workers` processes that serve this port. */
    readonly worker: number;
    readonly workers: number;
    readonly uptimeMs: number;
  };
  /** All collectors that live, of any machine; one that was killed is listed for 15 s more. */
  readonly collectors?: readonly {
    readonly id: string;
    readonly url: string;
    readonly version: string;
    readonly pid: number;
    readonly host: string;
    /** Epoch ms. */
    readonly started: number;
    readonly worker: number;
    readonly workers: number;
  }[];
  readonly redis: RedisHealth;
  readonly queue: {
    readonly events: number;
    readonly bytes: number;
    readonly eventsMax: number;
    readonly bytesMax: number;
  };
  /** What `_m1.geo` comes from; `built` is a day, `attribution` what its licence asks to be shown. */
  readonly geo?:
    | { readonly status: 'off' }
    | {
        readonly status: 'on';
        readonly database: string;
        readonly built: string;
        readonly attribution?: string;
      };
  /** How late this process is, in the last five seconds. */
  readonly eventLoop: { readonly lagP99Ms: number; readonly lagMaxMs: number };
}
