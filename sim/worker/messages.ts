/** What the run and its workers say to each other over a MessagePort, and the task that starts a worker. */
import type { MessagePort } from 'node:worker_threads';
import type { AskedDurability } from '../../server/protocol/durability.ts';
import type { PropertyName } from '../../server/protocol/property.ts';
import type { Profile } from '../crowd/profile.ts';
import type { IntervalSnapshot } from '../measure/index.ts';
import type { SentEventType } from '../targets/event-request.ts';
import type { LedgerRecord } from './ledger.ts';

/** Everything a worker needs to know before it starts; plain data. */
export interface WorkerTask {
  readonly port: MessagePort;
  readonly workerIndex: number;
  readonly workerCount: number;
  readonly seed: number;
  readonly runId: string;
  readonly heartbeatMs: number;
  readonly phase: 'spread' | 'sync';
  readonly people: readonly Profile[];
  readonly targetUrl: string;
  readonly property: PropertyName;
  readonly connections: number;
  readonly requestTimeoutMs: number;
  readonly durability: 'stored' | AskedDurability;
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
}

export type FromWorker =
  | { readonly kind: 'ready' }
  | { readonly kind: 'interval'; readonly workerIndex: number; readonly interval: WorkerInterval }
  | { readonly kind: 'note'; readonly text: string };

/** What a worker's task resolves with. */
export interface WorkerResult {
  readonly ledger: LedgerRecord;
  readonly started: number;
  readonly ended: number;
}
