/** The bitmaps that one batch sets bits in: only bits that the cache does not know to be set. */
import type { Bucket } from './bit-cache.ts';
import type { CommitRequest } from './commit-request.ts';
import { segmentKey, visitorSegmentBits } from './keys.ts';

/**
 * A set becomes a bitmap above these sizes. Never more than 512, where Redis would turn it into a hash table;
 * unequal, so that a crowd of first-time visitors, who are in all granularities, does not make ten
 * conversions due in one script.
 */
const membersMax = { minute: 512, hour: 480, day: 448, month: 416, year: 384, all: 352 } as const;
const segmentMask = 2 ** visitorSegmentBits - 1;

interface Bitmap {
  readonly key: string;
  readonly segment: number;
  readonly membersMax: number;
  readonly secondsToLive: number;
  readonly offsets: number[];
  /** Numbers of unknown visitors; the script knows their ids when it writes. */
  readonly unknown: number[];
}

/** Visitors that the collector does not know, by their number in the batch. */
interface UnknownBits {
  readonly segment: number;
  readonly buckets: Bucket[];
}

export class BitBatch {
  readonly #nowMs: number;
  readonly #bitmaps: Bitmap[] = [];
  /** Bitmaps of a bucket, one per segment; nearly always one. */
  readonly #ofBucket = new Map<Bucket, Bitmap[]>();
  readonly #unknown: UnknownBits[] = [];
  readonly #setBuckets: Bucket[] = [];
  readonly #setIds: number[] = [];

  constructor(nowMs: number) {
    this.#nowMs = nowMs;
  }

  /** Sets the bits of a known visitor in the buckets, finest first. */
  addKnown(buckets: readonly Bucket[], id: number): void {
    for (const bucket of buckets) {
      if (this.#nowMs >= bucket.expiryMs) continue;
      // Whoever is in a fine bucket was put into the coarser ones by the same commit.
      if (!bucket.add(id)) return;
      this.#setBuckets.push(bucket);
      this.#setIds.push(id);
      this.#bitmap(bucket, id >>> visitorSegmentBits).offsets.push(id & segmentMask);
    }
  }

  /** Makes room for an unknown visitor whose id is expected in a segment. */
  newUnknown(segment: number): number {
    return this.#unknown.push({ segment, buckets: [] }) - 1;
  }

  addUnknown(buckets: readonly Bucket[], number: number): void {
    const visitor = this.#unknown[number];
    if (visitor === undefined) return;
    for (const bucket of buckets) {
      if (this.#nowMs >= bucket.expiryMs) continue;
      if (visitor.buckets.includes(bucket)) return;
      visitor.buckets.push(bucket);
      this.#bitmap(bucket, visitor.segment).unknown.push(number);
    }
  }

  #bitmap(bucket: Bucket, segment: number): Bitmap {
    let bitmaps = this.#ofBucket.get(bucket);
    if (bitmaps === undefined) {
      bitmaps = [];
      this.#ofBucket.set(bucket, bitmaps);
    }
    for (const bitmap of bitmaps) if (bitmap.segment === segment) return bitmap;
    const bitmap: Bitmap = {
      key: segmentKey(bucket.key, segment),
      segment,
      membersMax: membersMax[bucket.granularity],
      secondsToLive: bucket.secondsToLive(this.#nowMs),
      offsets: [],
      unknown: [],
    };
    bitmaps.push(bitmap);
    this.#bitmaps.push(bitmap);
    return bitmap;
  }

  get bitmapCount(): number {
    return this.#bitmaps.length;
  }

  segmentOfUnknown(number: number): number {
    return this.#unknown[number]?.segment ?? 0;
  }

  writeKeys(request: CommitRequest): void {
    for (const bitmap of this.#bitmaps) request.key(bitmap.key);
  }

  writeNumbers(request: CommitRequest): void {
    for (const { membersMax, secondsToLive, offsets, unknown } of this.#bitmaps) {
      request.u32(secondsToLive);
      request.u16(membersMax);
      request.u16(offsets.length);
      // The script reads them as a run of texts, so they must follow each other: none is shared.
      let first = 0;
      let highest = 0;
      for (const offset of offsets) {
        const position = request.text(String(offset));
        if (first === 0) first = position;
        if (offset > highest) highest = offset;
      }
      request.u16(first);
      request.u32(highest);
      request.u16(unknown.length);
      for (const number of unknown) request.u16(number + 1);
    }
  }

  /** The commit succeeded: the bits of visitors whose ids it told are set too. */
  settle(ids: readonly number[]): void {
    for (let number = 0; number < this.#unknown.length; number++) {
      const id = ids[number];
      if (id === undefined) continue;
      for (const bucket of this.#unknown[number]?.buckets ?? []) bucket.add(id);
    }
  }

  /** The commit did not happen: forgets what `addKnown` remembered. */
  takeBack(): void {
    for (let i = 0; i < this.#setBuckets.length; i++) this.#setBuckets[i]?.takeBack(this.#setIds[i] ?? 0);
  }
}
