/**
 * The values that a dotted name has in a nested document. An array on the way stands for its elements, all
 * of them; so `items.price` of `{"items":[{"price":1},{"price":2}]}` is 1 and 2. A member whose own name has
 * a dot in it can't be reached. Only own members count: a document from outside has no prototype to offer.
 */
export type Document = Readonly<Record<string, unknown>>;

/** True as soon as the test holds for one value; null and objects are no values. */
export function someValueAt(
  value: unknown,
  path: readonly string[],
  test: (value: unknown) => boolean,
  at = 0,
): boolean {
  if (value === null || value === undefined) return false;
  if (Array.isArray(value)) return value.some((element) => someValueAt(element, path, test, at));
  if (at === path.length) return typeof value !== 'object' && test(value);
  const name = path[at] as string;
  if (typeof value !== 'object' || !Object.hasOwn(value, name)) return false;
  return someValueAt((value as Document)[name], path, test, at + 1);
}

/** All values, in the order of the document. */
export function valuesAt(document: Document, path: readonly string[]): unknown[] {
  const found: unknown[] = [];
  someValueAt(document, path, (value) => {
    found.push(value);
    return false;
  });
  return found;
}

export function pathOf(field: string): readonly string[] {
  return field.split('.');
}
