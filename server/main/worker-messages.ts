/** What a collector's primary and its workers tell each other. */
import type { ErrorCode } from '../base/errors.ts';
import type { CollectorOptions } from './collector.ts';
import type { MetricsToPrimary } from './metrics-gather.ts';

/** The part of a collector's options that can be sent to another process. */
export type ServedOptions = Pick<
  CollectorOptions,
  | 'host'
  | 'port'
  | 'redisUrl'
  | 'connectionsMax'
  | 'headersTimeoutMs'
  | 'requestTimeoutMs'
  | 'retention'
  | 'sealDelayMs'
  | 'sealBacklog'
  | 'timeLimits'
  | 'flush'
  | 'enrichment'
  | 'logFormat'
  | 'logLevel'
> &
  // Not optional: a process that was not told must not be open by chance.
  Required<Pick<CollectorOptions, 'access'>>;

export type WorkerStart = ServedOptions & Required<Pick<CollectorOptions, 'worker'>>;

export type FromCollectorWorker =
  /** It hears now: what was sent before its modules were loaded would be lost. */
  | { readonly asks: 'what to serve' }
  | { readonly listening: string }
  | { readonly failed: { readonly code: ErrorCode; readonly message: string } }
  | MetricsToPrimary;
