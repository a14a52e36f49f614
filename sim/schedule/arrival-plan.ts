/**
 * Arrivals that wait for nobody: a Poisson process whose rate follows the plan's level, or evenly spaced ones.
 *
 * The process is split into lanes, each a process of its own with an equal part of the rate; many Poisson processes
 * laid over each other are one (Kingman, Poisson Processes, 2.2). A lane belongs to one worker, with all its people,
 * so that who returns is known to one ledger; and the arrivals are the same for any number of workers.
 *
 * A rate that changes is reached by a change of time: an arrival of the process with rate 1 at s comes at the t where
 * the integral of the rate up to t is s.
 */
import assert from 'node:assert';
import { exponential } from '../random/distributions.ts';
import { deriveStream, purposes, type RandomStream } from '../random/random-stream.ts';
import { DueQueue } from './due-queue.ts';
import { type Knot, type LoadPlan, levelLine } from './load-plan.ts';
import type { Opening, Openings, Share } from './slot-plan.ts';

const lanesMin = 64;
const lanesMax = 65_536;
/** So many seconds of arrivals have a lane each; few lanes then hold two visits at a time. */
const laneSeconds = 128;

/** How many lanes a plan has: a matter of its base alone. */
export function lanesOf({ base, stages }: LoadPlan): number {
  const rate = Math.max(base, ...stages.map((stage) => stage.level));
  return Math.min(lanesMax, Math.max(lanesMin, 2 ** Math.ceil(Math.log2(rate * laneSeconds))));
}

export class ArrivalPlan implements Openings {
  readonly lanes: number;
  readonly #due = new DueQueue();
  readonly #streams: RandomStream[] = [];
  /** The next arrival of each lane, in arrivals of the whole process. */
  readonly #arrivals: Float64Array;
  readonly #isPoisson: boolean;
  readonly #time: ArrivalTime;

  constructor(plan: LoadPlan, share: Share, seed: number) {
    assert(plan.model !== 'present', 'a plan of visitors present has no arrivals');
    this.lanes = lanesOf(plan);
    this.#isPoisson = plan.model === 'poisson';
    this.#arrivals = new Float64Array(this.lanes);
    this.#time = new ArrivalTime(plan);
    for (let lane = share.workerIndex; lane < this.lanes; lane += share.workerCount) {
      const stream = deriveStream(seed, lane, purposes.arrivals);
      this.#streams[lane] = stream;
      this.#arrivals[lane] = this.#isPoisson ? exponential(stream, this.lanes) : lane;
      this.#due.push(lane, this.#time.at(this.#arrivals[lane] as number));
    }
  }

  get nextMs(): number {
    return this.#due.peekDueMs();
  }

  take(): Opening {
    const atMs = this.#due.peekDueMs();
    const slot = this.#due.popSlot();
    const stream = this.#streams[slot] as RandomStream;
    this.#arrivals[slot]! += this.#isPoisson ? exponential(stream, this.lanes) : this.lanes;
    this.#due.push(slot, this.#time.at(this.#arrivals[slot] as number));
    return { kind: 'arrive', slot, atMs };
  }
}

/** When so many arrivals are to be expected; the inverse of the integral of the rate. */
class ArrivalTime {
  readonly #line: Generator<Knot, never>;
  readonly #knots: Knot[] = [];
  /** Arrivals expected until each knot. */
  readonly #expected: number[] = [0];
  #isWhole = false;

  constructor(plan: LoadPlan) {
    this.#line = levelLine(plan);
    this.#knots.push(this.#line.next().value);
  }

  at(arrivals: number): number {
    while (!this.#isWhole && arrivals > (this.#expected.at(-1) as number)) this.#extend();
    let [low, high] = [0, this.#expected.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#expected[middle] as number) <= arrivals) low = middle;
      else high = middle - 1;
    }
    const from = this.#knots[low] as Knot;
    const rest = arrivals - (this.#expected[low] as number);
    return from.atMs + this.#within(from, this.#knots[low + 1], rest) * 1000;
  }

  #extend(): void {
    const from = this.#knots.at(-1) as Knot;
    const to = this.#line.next().value;
    // A level of nothing that stays has no knots any more worth looking at, a curve's is never nothing.
    this.#isWhole = to.atMs === Number.POSITIVE_INFINITY;
    this.#knots.push(to);
    if (this.#isWhole) return;
    const seconds = (to.atMs - from.atMs) / 1000;
    this.#expected.push((this.#expected.at(-1) as number) + ((from.level + to.level) / 2) * seconds);
  }

  /** Seconds after a knot at which so many more arrivals are expected, the rate changing evenly: a root. */
  #within(from: Knot, to: Knot | undefined, arrivals: number): number {
    if (arrivals === 0) return 0;
    const isFlat = to === undefined || to.atMs === Number.POSITIVE_INFINITY || to.level === from.level;
    if (isFlat) return from.level === 0 ? Number.POSITIVE_INFINITY : arrivals / from.level;
    const slope = ((to.level - from.level) * 1000) / (to.atMs - from.atMs);
    const root = Math.sqrt(Math.max(0, from.level ** 2 + 2 * slope * arrivals));
    return (2 * arrivals) / (from.level + root);
  }
}
