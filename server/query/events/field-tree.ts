/** The fields of a segment by the names on the way to them, and the plain way to find their values in a document. */
import type { Document } from '../../protocol/lucene/values-at.ts';
import type { ColumnBuilder } from './column-builder.ts';

/** Of `page.path`, `page` has the child `path`, which has the builder. */
export interface FieldNode {
  builder: ColumnBuilder | undefined;
  readonly children: Map<string, FieldNode>;
}

export const newFieldNode = (): FieldNode => ({ builder: undefined, children: new Map() });

/** Walks the document once; finds the values that `valuesAt` of protocol/lucene finds. */
export function addValues(value: unknown, node: FieldNode, position: number): void {
  if (typeof value === 'object') {
    if (value === null) return;
    if (Array.isArray(value)) {
      for (const element of value) addValues(element, node, position);
      return;
    }
    if (node.children.size === 0) return;
    for (const name of Object.keys(value)) {
      const child = node.children.get(name);
      if (child !== undefined) addValues((value as Document)[name], child, position);
    }
    return;
  }
  const isScalar = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
  if (isScalar && node.builder !== undefined) node.builder.add(position, value);
}
