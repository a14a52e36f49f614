/**
 * What a user may do, by property of its account: `{"site": ["publish"], "*": ["get"]}`. `*` stands for every
 * property of the account, and for the account itself. A bare list means `{"*": list}`.
 */
import { limits } from './limits.ts';

export type Rights = Readonly<Record<string, readonly string[]>>;

export const everyProperty = '*';

/** Further names may be given and asked for; these are the collector's own. */
export const standardRights = ['admin', 'schema', 'get', 'publish', 'sessionUpdate', 'sessionQuery'] as const;

/** MinusOneDB's older texts say `sessionSearch`. */
const spellings: Readonly<Record<string, string>> = { sessionSearch: 'sessionQuery' };

const rightPattern = /^[A-Za-z][\w.-]{0,63}$/;
const rightsMax = 64;
const propertiesMax = 1000;

/** Reads rights as JSON text. Gives the rule that was broken as a text. */
export function parseRights(json: string): Rights | string {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    // SyntaxError is all that JSON.parse throws; the rule says what was wanted.
    return 'rights: needs JSON, ["publish"] or {"site":["publish"],"*":["get"]}';
  }
  if (Array.isArray(value)) value = { [everyProperty]: value };
  if (typeof value !== 'object' || value === null)
    return 'rights: needs a list, or an object of lists by property';
  return readByProperty(value);
}

function readByProperty(value: object): Rights | string {
  const entries: [string, readonly string[]][] = [];
  const given = Object.entries(value);
  if (given.length > propertiesMax) return `rights: at most ${propertiesMax} properties`;
  for (const [property, names] of given) {
    if (property === '' || property.length > limits.nameLengthMax || property.includes('/'))
      return `rights: a property has 1 to ${limits.nameLengthMax} characters and no "/", got "${property.slice(0, 140)}"`;
    const list = readNames(names);
    if (typeof list === 'string') return list;
    entries.push([property, list]);
  }
  // fromEntries defines members, also one called __proto__, and never sets a prototype.
  return Object.fromEntries(entries);
}

function readNames(names: unknown): readonly string[] | string {
  if (!Array.isArray(names) || names.length > rightsMax)
    return `rights: needs lists of at most ${rightsMax} names`;
  const list = new Set<string>();
  for (const name of names as unknown[]) {
    if (typeof name !== 'string' || !rightPattern.test(name))
      return `rights: a right is a letter and up to 63 letters, digits, "_", "-", ".", got ${JSON.stringify(name)?.slice(0, 100)}`;
    list.add(Object.hasOwn(spellings, name) ? (spellings[name] as string) : name);
  }
  return [...list];
}

/** As replies show them: a bare list if they are the same for every property. */
export function shownRights(rights: Rights): Rights | readonly string[] {
  const { [everyProperty]: all, ...others } = rights;
  return Object.keys(others).length === 0 ? (all ?? []) : rights;
}

/** `admin` includes every other right: who may give rights has them. */
export function hasRight(rights: Rights, property: string, right: string): boolean {
  return allows(rights, everyProperty, right) || allows(rights, property, right);
}

/** True if the right holds for the whole account. */
export function hasAccountRight(rights: Rights, right: string): boolean {
  return allows(rights, everyProperty, right);
}

function allows(rights: Rights, property: string, right: string): boolean {
  const names = Object.hasOwn(rights, property) ? rights[property] : undefined;
  return names !== undefined && (names.includes(right) || names.includes('admin'));
}
