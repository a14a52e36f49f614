/** A property is an area of analysis of an account; all its data lies in one Redis Cluster slot. */
import { limits } from './limits.ts';

export interface PropertyName {
  readonly account: string;
  readonly property: string;
}

/** Where events go that name no property. */
export const defaultProperty: PropertyName = { account: 'demo', property: 'site' };

/** Request header that names the property; the query parameter `property=` does the same. */
export const propertyHeader = 'x-crowdbeat-property';

/** Reads `account/property`. Undefined unless it is two non-empty names within the limits. */
export function parsePropertyName(text: string): PropertyName | undefined {
  const slash = text.indexOf('/');
  if (slash < 1 || slash !== text.lastIndexOf('/')) return undefined;
  const account = text.slice(0, slash);
  const property = text.slice(slash + 1);
  if (property === '' || account.length > limits.nameLengthMax || property.length > limits.nameLengthMax)
    return undefined;
  return { account, property };
}

export function formatPropertyName(name: PropertyName): string {
  return `${name.account}/${name.property}`;
}
