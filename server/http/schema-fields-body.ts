/** `properties=[…]` of `POST /schema/add` becomes fields that may be declared. */
import { limits } from '../protocol/limits.ts';
import type { ErrorReply } from '../protocol/replies.ts';
import { type FieldType, fieldTypes, type SchemaField, standardFieldNames } from '../store/schema-fields.ts';
import { parseJson } from './form-fields.ts';

/** Dotted names of letters, digits, `_` and `-`; no part begins with a digit or a `-`, so that no query needs escapes. */
const namePattern = /^[\p{L}_][\p{L}\p{N}_-]*(?:\.[\p{L}_][\p{L}\p{N}_-]*)*$/u;
const forbiddenParts = ['__proto__', 'constructor', 'prototype'];
const descriptionLengthMax = 500;
const members: readonly string[] = ['name', 'type', 'multi', 'description'];

/** @param value the array itself, or its JSON text as a form has it */
export function readSchemaFields(value: unknown): SchemaField[] | ErrorReply {
  const list = typeof value === 'string' ? parseJson(value) : value;
  if (!Array.isArray(list) || list.length === 0 || list.length > limits.schemaFieldsMax)
    return refuse(`properties: needs a JSON array of 1 to ${limits.schemaFieldsMax} fields`);
  const fields: SchemaField[] = [];
  for (const [index, item] of list.entries()) {
    const field = readField(item, `properties[${index}]`);
    if ('status' in field) return field;
    if (fields.some(({ name }) => name === field.name))
      return refuse(`properties[${index}].name: "${field.name}" is given twice`);
    fields.push(field);
  }
  return fields;
}

function readField(item: unknown, where: string): SchemaField | ErrorReply {
  if (typeof item !== 'object' || item === null || Array.isArray(item))
    return refuse(`${where}: needs an object, got ${shown(item)}`);
  const { name, type, multi = false, description = '' } = item as Record<string, unknown>;
  const unknownName = Object.keys(item).find((one) => !members.includes(one));
  if (unknownName !== undefined)
    return refuse(`${where}: unknown member ${shown(unknownName)}; known: ${members.join(', ')}`);
  const brokenName = nameProblem(name);
  if (brokenName !== undefined) return refuse(`${where}.name: ${brokenName}, got ${shown(name)}`);
  if (!isFieldType(type)) return refuse(`${where}.type: needs ${fieldTypes.join(', ')}, got ${shown(type)}`);
  if (typeof multi !== 'boolean') return refuse(`${where}.multi: needs true or false, got ${shown(multi)}`);
  if (typeof description !== 'string' || description.length > descriptionLengthMax)
    return refuse(`${where}.description: needs a text of at most ${descriptionLengthMax} characters`);
  return { name: name as string, type, multi, description };
}

function nameProblem(name: unknown): string | undefined {
  if (typeof name !== 'string' || name.length > limits.nameLengthMax || !namePattern.test(name))
    return `needs a dotted name of letters, digits, _ and -, at most ${limits.nameLengthMax} characters`;
  const parts = name.split('.');
  if (parts.length > limits.eventDepthMax) return `has more than ${limits.eventDepthMax} parts`;
  if (parts.some((part) => forbiddenParts.includes(part))) return 'has a part that no event may have';
  if (parts[0] === '_m1') return 'begins with _m1, where only the collector writes';
  return standardFieldNames.has(name) ? 'is a standard field, which is declared already' : undefined;
}

const isFieldType = (value: unknown): value is FieldType => fieldTypes.some((type) => type === value);

const shown = (value: unknown): string => (JSON.stringify(value) ?? 'nothing').slice(0, 100);

function refuse(message: string): ErrorReply {
  return { status: 400, code: 'bad_parameter', message };
}
