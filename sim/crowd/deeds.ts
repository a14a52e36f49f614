/**
 * What visitors do on a page beside reading it: click, sign up, log in, put into the cart, buy. Each deed is an
 * event, done at most once each time the page is viewed, with the probability `share`.
 *
 *   {"event": "click", "share": 0.4, "element": {"type": "button", "label": "Details"}}
 *   {"event": "order", "share": 1, "at": "open", "order": {"currency": "EUR", "medianRevenue": 59, "sigma": 0.7}}
 *
 * `signup`, `login` and `logout` are done by those only who can: a guest who has no account yet, one who has, and
 * somebody logged in. The members follow docs/events.md.
 */
import { readList, readNumber, readObject, readText, refuse } from './site-fields.ts';

export interface Deed {
  /** `event.type`: one of docs/events.md, or a name of one's own. */
  readonly event: string;
  /** 0 to 1. */
  readonly share: number;
  /** `open`: as soon as the page is there. `reading`: at any time while it is read, all equally likely. */
  readonly at: 'open' | 'reading';
  /** Members that each such event carries, for instance `element`. */
  readonly members: Readonly<Record<string, unknown>>;
  /** Log-normal revenue of an `order`, in whole hundredths. */
  readonly order?: { readonly currency: string; readonly medianRevenue: number; readonly sigma: number };
}

/** What every visit sends by itself, and what an experiment adds. */
const taken: ReadonlySet<string> = new Set([
  'sessionStart',
  'view',
  'heartbeat',
  'sessionTimeout',
  'exposure',
  'conversion',
]);

const memberNames = ['element', 'interest', 'data'] as const;

/** @throws CrowdbeatError CB_OPTION, naming the member, the rule and the value */
export function readDeeds(path: string, input: unknown): Deed[] {
  return readList(path, input).map((item, index) => readDeed(`${path}[${index}]`, item));
}

function readDeed(path: string, input: unknown): Deed {
  const fields = readObject(path, input, ['event', 'share', 'at', 'order', ...memberNames]);
  const event = readText(
    `${path}.event`,
    fields['event'],
    /^[A-Za-z][\w.-]{0,63}$/,
    'a name of letters, digits, dots, - and _',
  );
  if (taken.has(event)) refuse(`${path}.event`, 'needs an event that a visit does not send by itself', event);
  const at = fields['at'] ?? 'reading';
  if (at !== 'open' && at !== 'reading') refuse(`${path}.at`, 'needs open or reading', at);
  const members: Record<string, unknown> = {};
  for (const name of memberNames) {
    if (fields[name] === undefined) continue;
    members[name] = readObject(`${path}.${name}`, fields[name]);
  }
  if (event === 'interest' && !('interest' in members))
    refuse(`${path}.interest`, 'needs an object with a name', fields['interest']);
  const share = readNumber(`${path}.share`, fields['share'], 0, 1);
  const order = readOrder(path, event, fields['order']);
  return { event, share, at, members, ...(order === undefined ? {} : { order }) };
}

function readOrder(path: string, event: string, input: unknown): Deed['order'] {
  if (event !== 'order') {
    if (input !== undefined) refuse(`${path}.order`, 'belongs to the event order', input);
    return undefined;
  }
  const fields = readObject(`${path}.order`, input, ['currency', 'medianRevenue', 'sigma']);
  return {
    currency: readText(`${path}.order.currency`, fields['currency'], /^[A-Z]{3}$/, 'three letters A to Z'),
    medianRevenue: readNumber(`${path}.order.medianRevenue`, fields['medianRevenue'], 0.01, 1e9),
    sigma: readNumber(`${path}.order.sigma`, fields['sigma'], 0, 3),
  };
}
