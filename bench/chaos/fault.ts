/** What a fault is, and how large it is made. */
import type { RunResult } from '../../sim/run/index.ts';
import type { Fsync } from './private-redis.ts';
import type { Stage } from './stage.ts';

export interface Scale {
  readonly visitors: number;
  readonly heartbeat: string;
  readonly durationMs: number;
  /** From the crowd's arrival to the fault. */
  readonly afterMs: number;
  /** How long what was killed stays away. */
  readonly downMs: number;
  readonly freezeMs: number;
  readonly slowMs: number;
  readonly giveUpMs: number;
}

/**
 * exact: nothing is lost, and the audit agrees. named: the audit names what was lost, if anything was.
 * loss: the same, and something was. emptied: the data are gone, the audit says so, the visitors go on, and a
 * second run is exact. gone: the run gives up in time, with a result.
 */
export type Expectation = 'exact' | 'named' | 'loss' | 'emptied' | 'gone';

export interface Fault {
  readonly name: string;
  readonly does: (scale: Scale) => string;
  readonly fsync: Fsync;
  readonly collectors: 1 | 2;
  readonly front: boolean;
  readonly expects: Expectation;
  /** How long the target is away, which the response time must show; 0 if it never is. */
  readonly outageMs: (scale: Scale) => number;
  /** Breaks something, and mends it where it is mended, while the crowd runs. */
  readonly strike: (stage: Stage, scale: Scale) => Promise<void>;
  /** Options of the crowd that only this fault needs. */
  readonly crowd?: (scale: Scale) => readonly string[];
  /** What else must be seen, in words if it is not. */
  readonly check?: (result: RunResult, stage: Stage) => readonly string[];
}

export const fullScale: Scale = {
  visitors: 500,
  heartbeat: '1s',
  durationMs: 30_000,
  afterMs: 8000,
  downMs: 2000,
  freezeMs: 10_000,
  slowMs: 20_000,
  giveUpMs: 10_000,
};

/** For `npm test`: shows that each fault is survived, in seconds. */
export const shortScale: Scale = {
  visitors: 60,
  heartbeat: '500ms',
  durationMs: 5000,
  afterMs: 1500,
  downMs: 500,
  freezeMs: 3000,
  slowMs: 2000,
  giveUpMs: 2000,
};
