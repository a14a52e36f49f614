/**
 * Which property a request is for: the header `x-crowdbeat-property: account/property`, or the query
 * parameter `property=`, otherwise demo/site. Both may be given if they say the same.
 */
import { isUtf8 } from 'node:buffer';
import { limits } from '../protocol/limits.ts';
import {
  defaultProperty,
  type PropertyName,
  parsePropertyName,
  propertyHeader,
} from '../protocol/property.ts';
import type { ErrorReply } from '../protocol/replies.ts';

/**
 * @param header value of the header as node:http gives it (bytes as Latin-1), or undefined
 * @param parameter decoded value of the query parameter, or undefined
 */
export function propertyOfRequest(
  header: string | undefined,
  parameter: string | undefined,
): PropertyName | ErrorReply {
  if (header === undefined && parameter === undefined) return defaultProperty;
  const fromHeader = header === undefined ? undefined : utf8OfHeader(header);
  if (fromHeader === null) return refuse(`${propertyHeader}: the value must be UTF-8`);
  if (fromHeader !== undefined && parameter !== undefined && fromHeader !== parameter) {
    return refuse(`${propertyHeader} says "${fromHeader}" but property= says "${parameter}"`);
  }
  const text = fromHeader ?? parameter ?? '';
  const where = fromHeader === undefined ? 'property=' : propertyHeader;
  const form = `account/property, two names of 1 to ${limits.nameLengthMax} characters`;
  return parsePropertyName(text) ?? refuse(`${where}: needs ${form}, got "${text.slice(0, 300)}"`);
}

/**
 * HTTP headers are bytes; node:http shows them as Latin-1. The same name in the query parameter is UTF-8,
 * and both must mean one property. Null if the bytes are no UTF-8.
 */
function utf8OfHeader(value: string): string | null {
  const bytes = Buffer.from(value, 'latin1');
  if (bytes.toString('ascii') === value) return value;
  return isUtf8(bytes) ? bytes.toString('utf8') : null;
}

function refuse(message: string): ErrorReply {
  return { status: 400, code: 'bad_property', message };
}
