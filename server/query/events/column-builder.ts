/**
 * Builds the column of one field, event by event, and shows it as it was after any number of them.
 *
 * What kind it is follows from the values alone, so that the column of an open segment and that of the sealed one
 * are the same:
 *
 *   dictionary --more than 255 numbers, nothing else----> numbers --another value, a second one--> dictionary
 *   dictionary --more than 1,024 uuids, nothing else----> uuids   --another value, a second one--> dictionary
 *
 * Who came back to a dictionary stays there: what is not a number now is in the segment for good. The way back costs
 * 10 ms for a full column of uuids; there is one such way a column and segment.
 *
 * An event's value costs 20 to 100 ns.
 */
import { pointOf } from '../../protocol/lucene/literal.ts';
import { DictionaryBuilder } from './column-dictionary.ts';
import { NumberBuilder, UuidBuilder } from './column-plain.ts';
import type { Column, PointRange, Scalar } from './segment.ts';

/** Fewer distinct values than these are better off in a dictionary: a byte or two an event. */
const distinctNumbersMin = 255;
const distinctUuidsMin = 1024;

export class ColumnBuilder {
  #values: DictionaryBuilder | NumberBuilder | UuidBuilder = new DictionaryBuilder();
  #first = Number.POSITIVE_INFINITY;
  #end = 0;
  #min = Number.POSITIVE_INFINITY;
  #max = Number.NEGATIVE_INFINITY;
  #shown: { readonly count: number; readonly column: Column } | undefined;

  /** Positions must not go down. Two values of one event are two calls; the same value twice counts once. */
  add(position: number, value: Scalar): void {
    if (position < this.#first) this.#first = position;
    this.#end = position + 1;
    const values = this.#values;
    if (values instanceof DictionaryBuilder) {
      const { distinct } = values;
      values.add(position, value);
      if (values.distinct === distinct) return;
      this.#values = betterKind(values);
      this.#widenRange(value);
    } else {
      if (!values.add(position, value)) {
        this.#values = values.toDictionary();
        this.#values.add(position, value);
      }
      if (!(values instanceof UuidBuilder) || this.#values !== values) this.#widenRange(value);
    }
  }

  /**
   * The same of a text of ASCII as it stands in a document.
   * @param hash of its bytes, by text-codes.ts
   */
  addAscii(position: number, bytes: Buffer, from: number, to: number, hash: number): void {
    const values = this.#values;
    const isAdded =
      values instanceof DictionaryBuilder
        ? values.addAscii(position, bytes, from, to, hash)
        : values instanceof UuidBuilder && values.addAscii(position, bytes, from, to);
    if (!isAdded) {
      this.add(position, bytes.toString('latin1', from, to));
      return;
    }
    if (position < this.#first) this.#first = position;
    this.#end = position + 1;
  }

  #widenRange(value: Scalar): void {
    const point = pointOf(value);
    if (point === undefined) return;
    if (point < this.#min) this.#min = point;
    if (point > this.#max) this.#max = point;
  }

  /** Of the first `count` events, after all values of these were added; undefined if none has a value. */
  column(count: number): Column | undefined {
    if (this.#first >= count) return undefined;
    if (this.#shown?.count === count) return this.#shown.column;
    const column = this.#values.column(count, count >= this.#end);
    this.#shown = { count, column };
    return column;
  }

  /** Of all points that were added, which may be more than those of a column that was asked for. */
  get range(): PointRange | undefined {
    return this.#min <= this.#max ? { min: this.#min, max: this.#max } : undefined;
  }

  /** Somebody has asked for it. */
  get wasShown(): boolean {
    return this.#shown !== undefined;
  }

  /** Of memory, about. */
  get bytes(): number {
    return this.#values.bytes;
  }
}

function betterKind(values: DictionaryBuilder): DictionaryBuilder | NumberBuilder | UuidBuilder {
  if (!values.isSingle) return values;
  if (values.areNumbers && values.distinct > distinctNumbersMin) return NumberBuilder.of(values);
  if (values.areUuids && values.distinct > distinctUuidsMin) return UuidBuilder.of(values);
  return values;
}
