/** `fl`: which fields of a document an answer shows. */
import { type FieldNames, fieldOf, type LuceneError, luceneLimits } from './query.ts';
import { catchFault, type Scanner } from './scanner.ts';
import type { Document } from './values-at.ts';

/** The names in the order they were asked for; undefined is everything. */
export type FieldList = readonly string[] | undefined;

/**
 * Reads `event.type, page.*`: names with commas or spaces between them. `page.*` and `page` are the same, the
 * whole object; `*` anywhere is everything. Never throws.
 */
export function parseFieldList(
  text: string,
  options: { readonly fields?: FieldNames } = {},
): FieldList | LuceneError {
  return catchFault(text, (scanner) => {
    const names: string[] = [];
    let everything = false;
    for (scanner.skipSpace(); scanner.peek() !== undefined; scanner.skipSpace()) {
      if (names.length === luceneLimits.listedFieldsMax) {
        scanner.fail(`a field list may have ${luceneLimits.listedFieldsMax} names, and this is one more`);
      }
      const name = parseName(scanner, options.fields);
      if (name === '*') everything = true;
      else if (!names.includes(name)) names.push(name);
      scanner.skipSpace();
      if (scanner.take(',')) checkAnother(scanner);
    }
    if (names.length === 0 && !everything) scanner.fail('a field is missing; * is all of them');
    return everything ? undefined : names;
  });
}

function checkAnother(scanner: Scanner): void {
  scanner.skipSpace();
  if (scanner.peek() === undefined) scanner.fail('a field must follow the comma');
}

function parseName(scanner: Scanner, fields: FieldNames | undefined): string {
  const { text, start, starred } = scanner.word(',');
  if (starred && text === '') return '*';
  if (text === '') scanner.fail('a field list is written event.type, page.*', start);
  if (starred && !text.endsWith('.'))
    scanner.fail('the * of a field list stands for whole members: page.*', start);
  const field = fieldOf(starred ? text.slice(0, -1) : text);
  if (fields !== undefined && !starred && !fields.has(field)) {
    scanner.fail(`there is no field ${JSON.stringify(text.slice(0, 80))}`, start);
  }
  return field;
}

/** Which members to keep; a leaf keeps all that is below it. */
type Wanted = Map<string, Wanted> | 'all';

/** A function, so that the list is taken apart once for many documents. */
export function projector(list: FieldList): (document: Document) => Document {
  if (list === undefined) return (document) => document;
  const wanted: Wanted = new Map();
  for (const name of list) want(wanted, name.split('.'));
  return (document) => pickMembers(document, wanted);
}

/** The document with the listed fields alone, nested as it was; what it does not have is not made up. */
export function project(document: Document, list: FieldList): Document {
  return projector(list)(document);
}

function want(root: Map<string, Wanted>, path: readonly string[]): void {
  let level = root;
  for (const [index, name] of path.entries()) {
    const below = level.get(name);
    if (below === 'all') return;
    if (index === path.length - 1) {
      level.set(name, 'all');
      return;
    }
    const next: Map<string, Wanted> = below ?? new Map();
    level.set(name, next);
    level = next;
  }
}

/** Keeps the document's own order. fromEntries defines members, so that no name can reach a prototype. */
function pickMembers(document: Document, wanted: ReadonlyMap<string, Wanted>): Document {
  const kept: [string, unknown][] = [];
  for (const [name, value] of Object.entries(document)) {
    const below = wanted.get(name);
    const picked = below === undefined ? undefined : below === 'all' ? value : pick(value, below);
    if (picked !== undefined) kept.push([name, picked]);
  }
  return Object.fromEntries(kept);
}

/** Undefined if nothing of the value was wanted. */
function pick(value: unknown, wanted: ReadonlyMap<string, Wanted>): unknown {
  if (Array.isArray(value)) {
    const elements = value.map((element) => pick(element, wanted)).filter((element) => element !== undefined);
    return elements.length === 0 ? undefined : elements;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const picked = pickMembers(value as Document, wanted);
  return Object.keys(picked).length === 0 ? undefined : picked;
}
