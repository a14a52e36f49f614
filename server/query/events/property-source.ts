/**
 * The events of one property. What is remembered of its segments:
 *
 *   sealed     known by their tokens, which never come back; what was read of them is kept within the budget
 *   unsealed   kept while the data and the server are the same; dropped with the budget's word, or when nobody has
 *              asked for a minute. Of full ones a question holds nothing itself (full-segment.ts)
 *
 * A question that meets a change (a segment that is sealed, dropped or deleted while it is read) looks again.
 */
import { CrowdbeatError } from '../../base/errors.ts';
import type { PropertyName } from '../../protocol/property.ts';
import type { RedisConnection } from '../../store/connection.ts';
import { PropertyKeys } from '../../store/keys.ts';
import type { SchemaCache } from '../../store/schema.ts';
import { movedSegment } from '../../store/segment-chunks.ts';
import type { SealedEntry } from '../../store/segment-meta.ts';
import { readSegmentMeta } from '../../store/segment-read.ts';
import { SegmentStateReader, type SegmentStates, type UnsealedState } from '../../store/segment-states.ts';
import { FullSegment } from './full-segment.ts';
import type { Hold, MemoryBudget } from './memory-budget.ts';
import { OpenSegment } from './open-segment.ts';
import { SealedSegment } from './sealed-segment.ts';
import type { Column, EventSource, Segment } from './segment.ts';

/** Looks again, at most. A segment is sealed once, so that even one is rare. */
const triesMax = 5;

interface KeptOpen {
  readonly segment: OpenSegment;
  readonly firstEntry: string;
  readonly hold: Hold;
}

export interface PropertySourceOptions {
  readonly connection: RedisConnection;
  readonly property: PropertyName;
  readonly schemas: SchemaCache;
  readonly budget: MemoryBudget;
}

export class PropertySource implements EventSource {
  readonly #options: PropertySourceOptions;
  readonly #keys: PropertyKeys;
  readonly #states: SegmentStateReader;
  readonly #sealed = new Map<number, SealedSegment>();
  readonly #open = new Map<number, KeptOpen>();
  readonly #full = new Map<number, { readonly segment: FullSegment; readonly firstEntry: string }>();
  /** By token, from when a segment is found sealed until it is opened as such. */
  readonly #handedOver = new Map<string, ReadonlyMap<string, Column | undefined>>();
  #identity = '';

  constructor(options: PropertySourceOptions) {
    this.#options = options;
    this.#keys = new PropertyKeys(options.property);
    this.#states = new SegmentStateReader(options.connection, this.#keys);
  }

  async segments(): Promise<readonly Segment[]> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.#look();
      } catch (error) {
        const isMoved = error instanceof CrowdbeatError && error.code === 'CB_REDIS_STALE';
        if (!isMoved || tries === triesMax) throw error;
      }
    }
  }

  async #look(): Promise<Segment[]> {
    const states = await this.#states.read();
    this.#forgetWhatIsNot(states);
    const segments: Segment[] = [];
    for (const [number, entry] of states.sealed) segments.push(await this.#sealedSegment(number, entry));
    for (const state of states.unsealed)
      segments.push(
        await (state.isFull ? this.#fullSegment(states, state) : this.#openSegment(states, state)),
      );
    return segments.filter(({ count }) => count > 0).sort((a, b) => a.number - b.number);
  }

  #forgetWhatIsNot(states: SegmentStates): void {
    if (states.identity !== this.#identity) this.dropOpen();
    this.#identity = states.identity;
    const isUnsealed = new Set(states.unsealed.map(({ number }) => number));
    for (const [number, { segment }] of [...this.#open]) {
      if (isUnsealed.has(number)) continue;
      const entry = states.sealed.get(number);
      // The next question shall not wait for what is here already.
      if (entry !== undefined) this.#handedOver.set(entry.token, segment.handOver(entry.count));
      this.#dropOne(number);
    }
    for (const number of [...this.#full.keys()]) if (!isUnsealed.has(number)) this.#dropFull(number);
    for (const [number, segment] of this.#sealed) {
      if (states.sealed.get(number)?.token === segment.token) continue;
      segment.release();
      this.#sealed.delete(number);
    }
  }

  async #sealedSegment(number: number, entry: SealedEntry): Promise<SealedSegment> {
    const known = this.#sealed.get(number);
    if (known !== undefined) {
      this.#handedOver.delete(entry.token);
      return known;
    }
    const { connection, budget, property, schemas } = this.#options;
    const source = { connection, keys: this.#keys, number, token: entry.token };
    const meta = await readSegmentMeta(source);
    const isDeclared = async (field: string): Promise<boolean> =>
      (await schemas.get(property)).fields.some(({ name }) => name === field);
    // Somebody else may have been faster; one of the two is enough.
    const other = this.#sealed.get(number);
    if (other !== undefined && other.token === entry.token) return other;
    const columns = this.#handedOver.get(entry.token);
    this.#handedOver.delete(entry.token);
    const segment = new SealedSegment({ source, entry, meta, budget, isDeclared, columns });
    this.#sealed.set(number, segment);
    return segment;
  }

  async #fullSegment(states: SegmentStates, state: UnsealedState): Promise<FullSegment> {
    const { number, firstEntry } = state;
    const known = this.#full.get(number);
    if (known?.firstEntry === firstEntry) return known.segment;
    this.#dropFull(number);
    const { identity } = states;
    const load = (): Promise<OpenSegment> => {
      if (identity !== this.#identity) throw movedSegment(number);
      return this.#extended(states, state);
    };
    const segment = await FullSegment.of(load, this.#options.budget);
    const other = this.#full.get(number);
    if (other?.firstEntry === firstEntry && identity === this.#identity) return other.segment;
    if (identity === this.#identity) this.#full.set(number, { segment, firstEntry });
    return segment;
  }

  async #openSegment(states: SegmentStates, state: UnsealedState): Promise<Segment> {
    return (await this.#extended(states, state)).snapshot();
  }

  async #extended(states: SegmentStates, state: UnsealedState): Promise<OpenSegment> {
    const kept = this.#kept(state) ?? (await this.#keepNew(states, state));
    kept.hold.touch();
    await kept.segment.extendTo(state.directoryBytes);
    kept.hold.resize(kept.segment.bytes);
    return kept.segment;
  }

  #kept({ number, firstEntry }: UnsealedState): KeptOpen | undefined {
    const kept = this.#open.get(number);
    if (kept === undefined) return undefined;
    // It may be longer already: another question looked later and was faster. Another beginning means other
    // documents.
    if (kept.firstEntry === firstEntry) return kept;
    this.#dropOne(number);
    return undefined;
  }

  async #keepNew({ generation, identity }: SegmentStates, state: UnsealedState): Promise<KeptOpen> {
    const { connection, property, schemas, budget } = this.#options;
    const { number, firstEntry } = state;
    const { fields } = await schemas.get(property);
    const other = this.#open.get(number);
    if (other !== undefined && other.firstEntry === firstEntry && identity === this.#identity) return other;
    const source = { connection, keys: this.#keys, generation, number };
    const segment = new OpenSegment(
      source,
      fields.map(({ name }) => name),
    );
    const kept = { segment, firstEntry, hold: budget.hold(0, () => this.#open.delete(number)) };
    // What belongs to data that has gone meanwhile is of use to this question only.
    if (identity === this.#identity) this.#open.set(number, kept);
    else kept.hold.release();
    return kept;
  }

  #dropOne(number: number): void {
    this.#open.get(number)?.hold.release();
    this.#open.delete(number);
  }

  #dropFull(number: number): void {
    this.#full.get(number)?.segment.release();
    this.#full.delete(number);
  }

  /** Forgets what is kept of unsealed segments. */
  dropOpen(): void {
    for (const number of [...this.#full.keys()]) this.#dropFull(number);
    for (const number of [...this.#open.keys()]) this.#dropOne(number);
  }

  /** Forgets everything. */
  release(): void {
    this.dropOpen();
    this.#handedOver.clear();
    for (const segment of this.#sealed.values()) segment.release();
    this.#sealed.clear();
  }
}
