/**
 * The query of `GET /track/it` becomes an event. Two ways to say it, which may be mixed:
 *
 *   dotted      event.type=view&visitor.id=v-4&page.path=/shop          the member of that name
 *   flattened   trackr_event_type=trackr_pageloaded_event&path=/shop    Aktivat's tracker; pixel-names.ts
 *
 * Values are texts; members that are numbers are read as such, `user.data` and `order.items` as JSON.
 */
import type { RejectReason } from '../protocol/event.ts';
import { limits } from '../protocol/limits.ts';
import type { Group } from './members.ts';
import { finishFlattened, flattenedPath, unsaid } from './pixel-names.ts';

/** Members that are numbers in an event. A text that is no number is kept, and judged as any other value. */
const numbers = new Set([
  'event.seq',
  'event.time',
  'session.start',
  'user.signupDate',
  'page.loadMs',
  'element.position',
  'order.revenue',
  'visit.durationMs',
  'screen.width',
  'screen.height',
]);
const jsonMembers = new Set(['user.data', 'order.items', 'event.data']);
const numberPattern = /^-?\d{1,16}(?:\.\d{1,16})?$/;

/**
 * @param query what stands behind the `?`
 * @param ignored parameters of the request itself, such as `property`
 * @returns the event, still to be proven; or why there is none
 */
export function pixelEvent(query: string, ignored: readonly string[]): Group | RejectReason {
  const event = newGroup();
  const isSaid = new Set<string>();
  for (const part of query.split('&')) {
    if (part === '') continue;
    const equals = part.indexOf('=');
    const name = decode(equals < 0 ? part : part.slice(0, equals));
    const value = decode(equals < 0 ? '' : part.slice(equals + 1));
    if (name === undefined || value === undefined) return 'malformed_query';
    if (ignored.includes(name)) continue;
    const isDotted = name.includes('.');
    if (!isDotted && unsaid(name, value)) continue;
    const path = isDotted ? name : flattenedPath(name);
    if (isSaid.has(path)) return 'malformed_query';
    isSaid.add(path);
    if (isSaid.size > limits.eventMembersMax) return 'too_many_members';
    const broken = put(event, path, typedValue(path, value));
    if (broken !== undefined) return broken;
  }
  finishFlattened(event);
  return event;
}

/** Without a prototype, so that a member named `__proto__` is one, and is found by those who refuse it. */
export const newGroup = (): Group => Object.create(null) as Group;

function put(event: Group, path: string, value: unknown): RejectReason | undefined {
  const names = path.split('.');
  if (names.length > limits.eventDepthMax) return 'too_deep';
  const last = names.pop() as string;
  let group = event;
  for (const name of names) {
    group[name] ??= newGroup();
    const member = group[name];
    if (typeof member !== 'object' || member === null || Array.isArray(member)) return 'malformed_query';
    group = member as Group;
  }
  if (typeof group[last] === 'object') return 'malformed_query';
  group[last] = value;
  return undefined;
}

function typedValue(path: string, text: string): unknown {
  if (numbers.has(path) && numberPattern.test(text)) return Number(text);
  if (!jsonMembers.has(path)) return text;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // SyntaxError is the only thing JSON.parse throws: then it is a text, and judged as one.
    return text;
  }
}

/** Percent-decoded, `+` being a space; undefined if it is malformed. */
function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    // URIError is the only thing decodeURIComponent throws.
    return undefined;
  }
}
