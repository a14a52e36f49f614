/** Members of results whose shape changes from version to version: looked up carefully, listed as they are. */

export type Json = Readonly<Record<string, unknown>>;

function at(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (inner, name) => (typeof inner === 'object' && inner !== null ? (inner as Json)[name] : undefined),
    value,
  );
}

export function numberAt(value: unknown, ...path: readonly string[]): number | undefined {
  const found = at(value, path);
  return typeof found === 'number' && Number.isFinite(found) ? found : undefined;
}

/** Also of a number or a flag; undefined for null and for what isn't there. */
export function textAt(value: unknown, ...path: readonly string[]): string | undefined {
  const found = at(value, path);
  return found === undefined || found === null ? undefined : String(found);
}

export function rowsOf(value: unknown, ...path: readonly string[]): [name: string, text: string][] {
  return memberRows(at(value, path), '');
}

/** Every leaf of a value with the way to it: `events.byType.view.acked`, `12`. */
export function memberRows(value: unknown, prefix: string): [name: string, text: string][] {
  if (value === undefined) return [];
  if (typeof value !== 'object' || value === null) return [[prefix, String(value)]];
  return Object.entries(value).flatMap(([name, inner]) =>
    memberRows(inner, prefix === '' ? name : `${prefix}.${name}`),
  );
}
