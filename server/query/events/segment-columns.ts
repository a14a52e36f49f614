/**
 * The columns of a segment while it is being read: each document is looked at once, and what is found under the name
 * of a field goes to that field's builder. Finds the values that `valuesAt` of protocol/lucene finds.
 *
 * Documents come as bytes. One of a shape that was seen before is read from them (document-scan.ts); another one is
 * parsed and walked, at three times the cost, and its shape is learned.
 */
import { type Document, pathOf } from '../../protocol/lucene/values-at.ts';
import { ColumnBuilder } from './column-builder.ts';
import { DocumentScan, type LiftedPlace } from './document-scan.ts';
import { isDocument, parseDocument } from './document-text.ts';
import { addValues, type FieldNode, newFieldNode } from './field-tree.ts';
import type { Column, PointRange } from './segment.ts';

/** What there was to see of a document that was not of a known shape. */
export interface ParsedText {
  readonly text: string;
  readonly document: Document;
}

export class SegmentColumns {
  readonly #root = newFieldNode();
  readonly #builders = new Map<string, ColumnBuilder>();
  readonly #lifted: readonly string[];
  #scan: DocumentScan;

  /** @param lifted those of the fields whose places in the documents are asked for */
  constructor(fields: Iterable<string>, lifted: readonly string[] = []) {
    for (const field of fields) this.#addField(field);
    this.#lifted = lifted;
    this.#scan = this.#newScan();
  }

  #newScan(): DocumentScan {
    const nodes = new Map<FieldNode, number>();
    for (const [number, field] of this.#lifted.entries()) nodes.set(this.#nodeOf(field), number);
    return new DocumentScan(this.#root, nodes);
  }

  get fields(): readonly string[] {
    return [...this.#builders.keys()];
  }

  get bytes(): number {
    let bytes = 0;
    for (const builder of this.#builders.values()) bytes += builder.bytes;
    return bytes;
  }

  has(field: string): boolean {
    return this.#builders.has(field);
  }

  #nodeOf(field: string): FieldNode {
    let node = this.#root;
    for (const name of pathOf(field)) {
      let child = node.children.get(name);
      if (child === undefined) {
        child = newFieldNode();
        node.children.set(name, child);
      }
      node = child;
    }
    return node;
  }

  #addField(field: string): void {
    const node = this.#nodeOf(field);
    node.builder ??= new ColumnBuilder();
    this.#builders.set(field, node.builder);
  }

  /** Takes over the fields of another that has read the same documents. */
  adopt(other: SegmentColumns): void {
    for (const [field, builder] of other.#builders) {
      this.#nodeOf(field).builder = builder;
      this.#builders.set(field, builder);
    }
    // Shapes that were learned know nothing of the new fields.
    this.#scan = this.#newScan();
  }

  /**
   * Positions go up. Undefined: the document is of a known shape, and `liftedPlaces` tells of it.
   * @param bytes from `from` to `to` they are the document's text
   */
  add(position: number, bytes: Buffer, from: number, to: number): ParsedText | undefined {
    if (this.#scan.add(position, bytes, from, to)) return undefined;
    const text = bytes.toString('utf8', from, to);
    const document = parseDocument(text);
    addValues(document, this.#root, position);
    if (isDocument(document)) this.#scan.learn(bytes, from, to);
    return { text, document };
  }

  /** The same of a text, which is parsed always. */
  addText(position: number, text: string): void {
    addValues(parseDocument(text), this.#root, position);
  }

  /** Of the document that was added last, if its shape was known. */
  liftedPlaces(lengthMin: number): Iterable<LiftedPlace> {
    return this.#scan.liftedPlaces(lengthMin);
  }

  /** Of the first `count` events; undefined if none has a value. */
  column(field: string, count: number): Column | undefined {
    return this.#builders.get(field)?.column(count);
  }

  /** The columns that somebody has asked for before, and those that are named. */
  shownColumns(count: number, named: readonly string[]): ReadonlyMap<string, Column | undefined> {
    const shown = new Map<string, Column | undefined>();
    for (const [field, builder] of this.#builders)
      if (builder.wasShown || named.includes(field)) shown.set(field, builder.column(count));
    return shown;
  }

  range(field: string): PointRange | undefined {
    return this.#builders.get(field)?.range;
  }
}
