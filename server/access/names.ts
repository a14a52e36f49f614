/** Names of accounts, properties and users as they may be made; what is asked for may be anything. */
import { limits } from '../protocol/limits.ts';
import { everyProperty } from '../protocol/rights.ts';

/** Control characters, line breaks, and halves of characters that UTF-8 can't carry. */
const unwritable = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}]/u;

const isName = (text: string): boolean =>
  text !== '' && text.length <= limits.nameLengthMax && !text.includes('/') && !unwritable.test(text);

export const nameRule = `1 to ${limits.nameLengthMax} characters, no "/" and no control characters`;

export const isAccountName = isName;
export const isUserName = isName;
/** `*` stands for all properties, where rights are given. */
export const isPropertyName = (text: string): boolean => isName(text) && text !== everyProperty;
