/** `format=csv`: RFC 4180, a line of names first, CRLF after every line. */
import type { FieldList } from './field-list.ts';
import type { Document } from './values-at.ts';

/**
 * A column per field. A listed object becomes a column per member of it that some document has; without a
 * list all do, in the order in which they first appear. Several values of one field stand in one cell with a
 * comma between them; null and what a document does not have is an empty cell, the empty text a quoted one.
 */
export function toCsv(documents: readonly Document[], fields: FieldList): string {
  const rows = documents.map(flatten);
  const columns = fields === undefined ? namesOf(rows) : fields.flatMap((field) => columnsOf(field, rows));
  const lines = rows.map((row) => columns.map((column) => cellOf(row.get(column))).join(','));
  return [columns.map(quoteIfNeeded).join(','), ...lines].map((line) => `${line}\r\n`).join('');
}

type Row = ReadonlyMap<string, readonly unknown[]>;

/** The values of a document by dotted name. */
function flatten(document: Document): Row {
  const row = new Map<string, unknown[]>();
  addMembers(row, '', document);
  return row;
}

function addMembers(row: Map<string, unknown[]>, prefix: string, members: Document): void {
  for (const [name, value] of Object.entries(members)) addValue(row, `${prefix}${name}`, value);
}

function addValue(row: Map<string, unknown[]>, name: string, value: unknown): void {
  if (value === null || value === undefined) return;
  if (Array.isArray(value)) {
    for (const element of value) addValue(row, name, element);
  } else if (typeof value === 'object') {
    addMembers(row, `${name}.`, value as Document);
  } else {
    const values = row.get(name);
    if (values === undefined) row.set(name, [value]);
    else values.push(value);
  }
}

function namesOf(rows: readonly Row[]): string[] {
  return [...new Set(rows.flatMap((row) => [...row.keys()]))];
}

/** The field itself, or its members if it is an object in some document; itself too if it has no value anywhere. */
function columnsOf(field: string, rows: readonly Row[]): string[] {
  const found = namesOf(rows).filter((name) => name === field || name.startsWith(`${field}.`));
  return found.length === 0 ? [field] : found;
}

function cellOf(values: readonly unknown[] | undefined): string {
  if (values === undefined) return '';
  return values.length === 1 && values[0] === '' ? '""' : quoteIfNeeded(values.map(String).join(','));
}

function quoteIfNeeded(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
