/** What the run and its workers say to each other over a MessagePort, and the task that starts a worker. */
import type { MessagePort } from 'node:worker_threads';
import type { AskedDurability } from '../../server/protocol/durability.ts';
import type { PropertyName } from '../../server/protocol/property.ts';
import type { CrowdConfig } from '../crowd/crowd-config.ts';
import type { Profile } from '../crowd/profile.ts';
import type { IntervalSnapshot } from '../measure/index.ts';
import type { LoadPlan } from '../schedule/load-plan.ts';
import type { SentEventType } from '../targets/event-request.ts';
import type { TruthRecord } from './crowd-truth.ts';
import type { LedgerRecord } from './ledger.ts';
import type { StoreRecord } from './store-beats.ts';
import type { SampledEvent, UnknownEvent } from './unknown-acts.ts';

/** Everything a worker needs to know before it starts; plain data. */
export interface WorkerTask {
  readonly port: MessagePort;
  readonly workerIndex: number;
  readonly workerCount: number;
  readonly seed: number;
  readonly runId: string;
  readonly heartbeatMs: number;
  readonly phase: 'spread' | 'sync';
  /** Who comes and what they do. */
  readonly crowd: CrowdConfig;
  /** Undefined: slots are opened by orders alone. */
  readonly loadPlan: LoadPlan | undefined;
  /** Slots below this number begin in the midst of a visit. */
  readonly warmSlots: number;
  readonly people: readonly Profile[];
  /** The profile of each kind of bots. */
  readonly bots: readonly Profile[];
  readonly targetUrl: string;
  readonly property: PropertyName;
  readonly connections: number;
  readonly requestTimeoutMs: number;
  readonly durability: 'stored' | AskedDurability;
  /** Where heartbeats go, if not with the other events. */
  readonly sessionStore: string | undefined;
  /** Requests name their visitors' addresses. */
  readonly clientHeaders: boolean;
  readonly token: string | undefined;
  readonly key: string | undefined;
  readonly logDirectory: string;
  readonly logClients: number;
}

export type ToWorker =
  /** Run time 0, on the shared monotonic clock and on the wall. */
  | { readonly kind: 'start'; readonly startMonotonicMs: number; readonly startWallMs: number }
  /** Slots first..first+count-1 arrive from `fromMs` on, `perSecond` of them a second; a worker takes its share. */
  | {
      readonly kind: 'add';
      readonly first: number;
      readonly count: number;
      readonly fromMs: number;
      readonly perSecond: number;
    }
  /** The visitors of slots first..first+count-1 go home; nobody follows them. */
  | {
      readonly kind: 'sendHome';
      readonly first: number;
      readonly count: number;
      readonly fromMs: number;
      readonly perSecond: number;
    }
  /** Nothing is planned from `atMs` on; what was planned is settled within `drainMs`. */
  | { readonly kind: 'finish'; readonly atMs: number; readonly drainMs: number }
  /** What requests carry from now on. */
  | { readonly kind: 'token'; readonly token: string }
  /** What became of the worker's unknown events, in their order: stored or not; null: still nobody knows. */
  | { readonly kind: 'resolved'; readonly stored: readonly (boolean | null)[] }
  /** Settle nothing more: count what is open and end at once. */
  | { readonly kind: 'abort' };

/** What a worker reports each second, and once more when it ends. */
export interface WorkerInterval {
  /** Seconds of run time, from 0. */
  readonly index: number;
  readonly startMs: number;
  readonly endMs: number;
  readonly snapshot: IntervalSnapshot;
  /** Acknowledged in this interval. */
  readonly acknowledged: Record<SentEventType, number>;
  readonly started: number;
  readonly ended: number;
  readonly present: number;
  /** Most present at once in this interval. */
  readonly presentMax: number;
  /** Events in flight, waiting for a connection or for a retry, now. */
  readonly open: number;
  /** Failed attempts of this interval by kind (`refused`, `timeout`, `http 503` …). */
  readonly errors: Record<string, number>;
  readonly retries: number;
  /** Event-loop utilisation of this interval, 0..1. */
  readonly utilisation: number;
  readonly loopDelayP99Ms: number;
  readonly loopDelayMaxMs: number;
  /** Visitor-milliseconds since the run began: by the clock, and as planned. */
  readonly visitorTime: { readonly presentMs: number; readonly plannedMs: number };
}

export type FromWorker =
  | { readonly kind: 'ready' }
  /** The target answers 401 to this token. Said once a second while it does. */
  | { readonly kind: 'unauthorized'; readonly token: string }
  | { readonly kind: 'interval'; readonly workerIndex: number; readonly interval: WorkerInterval }
  /** An event that was just acknowledged: the first of each second. */
  | { readonly kind: 'sample'; readonly event: SampledEvent }
  /** All is settled but these; the worker waits for `resolved`. */
  | { readonly kind: 'unknown'; readonly workerIndex: number; readonly events: readonly UnknownEvent[] }
  | { readonly kind: 'note'; readonly text: string };

/** What a worker's task resolves with. */
export interface WorkerResult {
  readonly ledger: LedgerRecord;
  readonly store: StoreRecord;
  readonly truth: TruthRecord;
  readonly started: number;
  readonly ended: number;
}
