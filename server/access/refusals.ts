/** The replies that refuse a request for want of a right. They tell nothing of what others have. */
import { formatPropertyName, type PropertyName } from '../protocol/property.ts';
import type { ErrorReply } from '../protocol/replies.ts';

export const noToken: ErrorReply = {
  status: 401,
  code: 'no_token',
  message: 'a token is needed: POST /auth gives one, the header m1-auth-token carries it',
};

/** Also for one that was never given. */
export const badToken: ErrorReply = {
  status: 401,
  code: 'bad_token',
  message: 'the token or publish key is unknown, revoked or expired',
};

export const twoTokens: ErrorReply = {
  status: 400,
  code: 'two_tokens',
  message: 'm1-auth-token and Authorization carry different tokens',
};

/** @param who as `holderName` says it */
export const noRight = (who: string, right: string): ErrorReply => ({
  status: 403,
  code: 'no_right',
  message: `${who} does not have requested right in set ${right}`,
});

/** The same for one that does not exist and for one of another account. */
export const unknownProperty = (property: PropertyName): ErrorReply => ({
  status: 404,
  code: 'unknown_property',
  message: `there is no property "${formatPropertyName(property)}" that this token reaches`,
});

export const noDefaultProperty: ErrorReply = {
  status: 404,
  code: 'unknown_property',
  message:
    'the account has no property "site" and not exactly one: name one in x-crowdbeat-property or property=',
};

export const foreignOrigin = (origin: string): ErrorReply => ({
  status: 403,
  code: 'foreign_origin',
  message: `pages of ${JSON.stringify(origin.slice(0, 200))} may not do this; system/cors/add lets them`,
});

export const foreignHost: ErrorReply = {
  status: 403,
  code: 'foreign_host',
  message: 'an open collector takes such requests by its address or as localhost only, and from no web page',
};
