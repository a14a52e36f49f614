/** From expressions over names and times to set algebra over keys. */
import type { TimeBucket } from '../../base/time-bucket.ts';
import type { ErrorReply } from '../../protocol/replies.ts';
import { eventKeyName, type PropertyKeys, sourceKeyName } from '../../store/keys.ts';
import { bucketExpiryMs, type Retention } from '../../store/retention.ts';
import type { BitExpression } from '../../store/visitor-plan.ts';
import { coverRange, minuteMs } from './cover.ts';
import { type Expression, type NamedLeaf, type OneName, questionLimits, type TimeRange } from './question.ts';

/** A bucket that the answer needs is no longer kept. Caught where a plan is made. */
export class ExpiredError extends Error {
  readonly bucket: TimeBucket;

  constructor(bucket: TimeBucket) {
    super(`${bucket.name} has expired`);
    this.bucket = bucket;
  }
}

/** The answer would be too large. Caught where a plan is made. */
export class PlanError extends Error {
  readonly reply: ErrorReply;

  constructor(code: string, message: string) {
    super(message);
    this.reply = { status: 400, code, message };
  }
}

export const keyNameOf = (leaf: OneName): string =>
  'event' in leaf ? eventKeyName(leaf.event) : sourceKeyName(leaf.source, leaf.campaign);

/** Names that the property knows, as far as the question needs them. */
export interface PlannerNames {
  /** Of all event types, for `anyEvent`. */
  readonly eventKeyNames: readonly string[];
  /** By source: those of the source without and with each campaign, for `anyCampaign`. */
  readonly keyNamesOfSource: ReadonlyMap<string, readonly string[]>;
}

/** Event times are at most five minutes ahead of a collector's clock; twice that for clocks that differ. */
const aheadMsMax = 10 * minuteMs;

export class ExpressionPlanner {
  /** Names of leaves, by key name. */
  readonly names = new Map<string, OneName>();
  /** Sources that were asked for with any campaign and have none that is known. */
  readonly unknownSources = new Set<string>();
  readonly #keys: PropertyKeys;
  readonly #retention: Retention;
  readonly #nowMs: number;
  readonly #known: PlannerNames;
  readonly #covers = new Map<string, readonly TimeBucket[]>();
  readonly #leaves = new Map<string, BitExpression>();
  readonly #all: BitExpression;
  #keyCount = 0;

  constructor(keys: PropertyKeys, retention: Retention, nowMs: number, known: PlannerNames) {
    this.#keys = keys;
    this.#retention = retention;
    this.#nowMs = nowMs;
    this.#known = known;
    this.#all = { any: [keys.all] };
  }

  /** Nothing has happened from here on. A whole minute. */
  get horizonMs(): number {
    return Math.floor((this.#nowMs + aheadMsMax) / minuteMs) * minuteMs;
  }

  /** @param range of the leaves that have none of their own */
  plan(expression: Expression, range: TimeRange): BitExpression {
    if ('and' in expression) return { and: expression.and.map((part) => this.plan(part, range)) };
    if ('or' in expression) return { or: expression.or.map((part) => this.plan(part, range)) };
    if ('not' in expression) return { minus: [this.#all, this.plan(expression.not, range)] };
    if ('minus' in expression) {
      const [from, ...without] = expression.minus.map((part) => this.plan(part, range));
      return { minus: [from as BitExpression, { or: without }] };
    }
    if ('all' in expression) return this.#all;
    if ('anyEvent' in expression) return this.named(this.#known.eventKeyNames, expression.range ?? range);
    return this.leaf(expression, expression.range ?? range);
  }

  leaf(leaf: NamedLeaf, range: TimeRange): BitExpression {
    return this.named(this.keyNames(leaf), range);
  }

  /** Whoever has any of these is in the leaf. */
  keyNames(leaf: NamedLeaf): readonly string[] {
    if ('anyCampaign' in leaf) {
      const found = this.#known.keyNamesOfSource.get(leaf.source) ?? [];
      if (found.length === 0) this.unknownSources.add(leaf.source);
      return found;
    }
    const keyName = keyNameOf(leaf);
    this.names.set(keyName, leaf);
    return [keyName];
  }

  /** Who had any of the names in the range. The same question gets the same object: it is worked out once. */
  named(keyNames: readonly string[], range: TimeRange): BitExpression {
    const id = `${range.fromMs} ${range.toMs} ${keyNames === this.#known.eventKeyNames ? '*' : keyNames.join(' ')}`;
    const known = this.#leaves.get(id);
    if (known !== undefined) return known;
    const cover = this.cover(range);
    this.#countKeys(keyNames.length * cover.length);
    const any = keyNames.flatMap((keyName) => cover.map(({ name }) => this.#keys.bucket(keyName, name)));
    const leaf = { any };
    this.#leaves.set(id, leaf);
    return leaf;
  }

  /** Throws ExpiredError when a part of the range can no longer be told. */
  cover(range: TimeRange): readonly TimeBucket[] {
    const id = `${range.fromMs} ${range.toMs}`;
    const known = this.#covers.get(id);
    if (known !== undefined) return known;
    const cover = coverRange(range, this.horizonMs);
    for (const bucket of cover) this.#expectKept(bucket);
    this.#covers.set(id, cover);
    return cover;
  }

  /** The range of what is looked at minute by minute: it ends where nothing has happened yet, and must be kept. */
  minuteCover(range: TimeRange, keysPerMinute: number): readonly TimeBucket[] {
    const toMs = Math.min(range.toMs, this.horizonMs);
    const cover = coverRange({ fromMs: range.fromMs, toMs });
    const firstMinute = coverRange({ fromMs: range.fromMs, toMs: range.fromMs + minuteMs });
    for (const bucket of [...firstMinute, ...cover]) this.#expectKept(bucket);
    this.#countKeys(((toMs - range.fromMs) / minuteMs) * keysPerMinute);
    return cover;
  }

  #expectKept(bucket: TimeBucket): void {
    if (this.#nowMs >= bucketExpiryMs(bucket.startMs, bucket.granularity, this.#retention))
      throw new ExpiredError(bucket);
  }

  #countKeys(count: number): void {
    this.#keyCount += count;
    if (this.#keyCount <= questionLimits.keysMax) return;
    const message =
      `the answer would need more than ${questionLimits.keysMax} keys: ` +
      'ask for a shorter range, coarser buckets or fewer names';
    throw new PlanError('too_many_keys', message);
  }
}
