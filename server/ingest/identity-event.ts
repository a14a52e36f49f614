/** Events that tell who a visitor is: signup, login, loginAndImport, updateUser and logout. */
import type { RejectReason } from '../protocol/event.ts';
import { limits } from '../protocol/limits.ts';
import type { IdentityChange, IdentityType } from '../store/identity-change.ts';
import { isTimeWithinLimits, type Receipt } from './enrich.ts';
import { parseEventTime } from './event-time.ts';
import { type Group, isGroup, isText } from './members.ts';

/** Of updateUser and logout the visitor's user is meant if they name none. */
const mayNameNobody: readonly IdentityType[] = ['updateUser', 'logout'];

export function checkIdentity(type: IdentityType, event: Group, receipt: Receipt): RejectReason | undefined {
  const { user } = event;
  if (user !== undefined && !isGroup(user)) return 'invalid_user';
  const id = user?.['id'];
  if (id === undefined) {
    if (!mayNameNobody.includes(type)) return 'missing_user';
  } else if (!isText(id, limits.idLengthMax)) return 'invalid_user';
  if (user === undefined) return undefined;
  if (!isUserData(user['data'])) return 'invalid_user_data';
  return isSignupDate(user['signupDate'], receipt) ? undefined : 'invalid_signup_date';
}

/** @param event one that `checkIdentity` found nothing wrong with */
export function readIdentity(
  type: IdentityType,
  event: Group,
  timeMs: number,
  isOwnTime: boolean,
): IdentityChange {
  const user = (event['user'] ?? {}) as Group;
  const signupMs = user['signupDate'] === undefined ? undefined : parseSignupDate(user['signupDate']);
  return {
    type,
    timeMs,
    isOwnTime,
    visitorId: (event['visitor'] as Group)['id'] as string,
    userId: user['id'] as string | undefined,
    data: user['data'] as Group | undefined,
    signupMs: type === 'signup' ? (signupMs ?? timeMs) : signupMs,
  };
}

/**
 * Aktivat's signup dates are Unix seconds, other times here are milliseconds. Numbers below 100,000,000,000 are
 * seconds: as such they reach to the year 5138, as milliseconds to March 1973, before there was a web to sign up at.
 */
const secondsBelow = 1e11;

/** Epoch ms; undefined if the value is no time. */
export function parseSignupDate(value: unknown): number | undefined {
  return parseEventTime(typeof value === 'number' && Math.abs(value) < secondsBelow ? value * 1000 : value);
}

function isSignupDate(value: unknown, receipt: Receipt): boolean {
  if (value === undefined) return true;
  const timeMs = parseSignupDate(value);
  if (timeMs === undefined || timeMs < 0) return false;
  // However long ago it was; a date ahead of the clock's tolerance can't be true.
  return timeMs <= receipt.receivedMs || isTimeWithinLimits(timeMs, receipt);
}

function isUserData(value: unknown): boolean {
  if (value === undefined) return true;
  return isGroup(value) && Buffer.byteLength(JSON.stringify(value)) <= limits.userDataBytesMax;
}
