/** Reads the members of a JSON object, each by its rule; what breaks one names its path. */
import type { FacetError } from './facet.ts';

/** Thrown and caught inside this folder only; `parseFacets` returns its `error`. */
export class FacetFault extends Error {
  readonly error: FacetError;

  constructor(path: string, rule: string) {
    super(rule);
    this.error = { kind: 'error', message: `${path}: ${rule}` };
  }
}

export type JsonObject = Readonly<Record<string, unknown>>;

export function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

export function asObject(value: unknown, path: string): JsonObject {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject;
  throw new FacetFault(path, `needs an object, got ${shown(value)}`);
}

/** An object of which every member is known. */
export class Members {
  readonly path: string;
  readonly object: JsonObject;

  constructor(object: JsonObject, path: string, known: readonly string[]) {
    this.path = path;
    this.object = object;
    const unknown = Object.keys(object).find((name) => !known.includes(name));
    if (unknown !== undefined)
      this.fail(unknown.slice(0, 80), `is not known here; known are ${known.join(', ')}`);
  }

  fail(name: string, rule: string): never {
    throw new FacetFault(`${this.path}.${name}`, rule);
  }

  get(name: string): unknown {
    return Object.hasOwn(this.object, name) ? this.object[name] : undefined;
  }

  whole(name: string, least: number, most: number, otherwise: number): number {
    const value = this.get(name) ?? otherwise;
    if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return value;
    return this.fail(name, `needs a whole number from ${least} to ${most}, got ${shown(value)}`);
  }

  flag(name: string): boolean {
    const value = this.get(name) ?? false;
    return typeof value === 'boolean' ? value : this.fail(name, `needs true or false, got ${shown(value)}`);
  }

  text(name: string, otherwise?: string): string {
    const value = this.get(name) ?? otherwise;
    if (typeof value === 'string') return value;
    return this.fail(name, value === undefined ? 'is missing' : `needs a text, got ${shown(value)}`);
  }
}
