/**
 * The standard types whose members have rules of their own. An event of any other name may carry what it likes.
 *
 * Costs other events one look into a map of a dozen names.
 */
import type { RejectReason } from '../protocol/event.ts';
import { limits } from '../protocol/limits.ts';
import { type IdentityChange, identityTypes } from '../store/identity-change.ts';
import type { Receipt } from './enrich.ts';
import { checkIdentity, readIdentity } from './identity-event.ts';
import { type Group, isGroup, isText, isTextOrAbsent } from './members.ts';

export interface StandardType {
  /** The first rule that the event breaks. Runs before its time is judged. */
  readonly check: (event: Group, receipt: Receipt) => RejectReason | undefined;
  /** What a proven event of this type says of a user. */
  readonly identity?: (event: Group, timeMs: number, isOwnTime: boolean) => IdentityChange;
}

const elementTextLengthMax = 512;

function checkElement({ element }: Group): RejectReason | undefined {
  if (element === undefined) return undefined;
  if (!isGroup(element)) return 'invalid_element';
  const { type, label, position } = element;
  const isPosition = typeof position === 'number' || isTextOrAbsent(position, elementTextLengthMax);
  return isPosition &&
    isTextOrAbsent(type, elementTextLengthMax) &&
    isTextOrAbsent(label, elementTextLengthMax)
    ? undefined
    : 'invalid_element';
}

function checkInterest({ interest }: Group): RejectReason | undefined {
  return isGroup(interest) && isText(interest['name'], limits.nameLengthMax) ? undefined : 'invalid_interest';
}

function checkExperiment({ experiment }: Group): RejectReason | undefined {
  const isWhole =
    isGroup(experiment) &&
    isText(experiment['id'], limits.idLengthMax) &&
    isText(experiment['variant'], limits.nameLengthMax);
  return isWhole ? undefined : 'invalid_experiment';
}

const currencyPattern = /^[A-Z]{3}$/;

function checkOrder({ order }: Group): RejectReason | undefined {
  if (!isGroup(order) || !isText(order['id'], limits.idLengthMax)) return 'invalid_order';
  const { revenue, currency, items } = order;
  // JSON has numbers, 1e999 for one, that are infinite here.
  if (typeof revenue !== 'number' || !Number.isFinite(revenue)) return 'invalid_order';
  if (typeof currency !== 'string' || !currencyPattern.test(currency)) return 'invalid_order';
  if (items === undefined) return undefined;
  return Array.isArray(items) && items.length <= limits.orderItemsMax && items.every(isGroup)
    ? undefined
    : 'invalid_order_items';
}

export const standardTypes: ReadonlyMap<string, StandardType> = new Map<string, StandardType>([
  ...['click', 'mouseover', 'focus', 'blur'].map((type) => [type, { check: checkElement }] as const),
  ['interest', { check: checkInterest }],
  ['exposure', { check: checkExperiment }],
  ['conversion', { check: checkExperiment }],
  ['order', { check: checkOrder }],
  ...identityTypes.map((type) => {
    const check: StandardType['check'] = (event, receipt) => checkIdentity(type, event, receipt);
    const identity: StandardType['identity'] = (event, timeMs, isOwnTime) =>
      readIdentity(type, event, timeMs, isOwnTime);
    return [type, { check, identity }] as const;
  }),
]);
