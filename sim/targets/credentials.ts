/** Who a run says it is. Nothing of this is logged, shown or stored with results but the user's name. */

export interface Credentials {
  /** `ann` or `account/ann`; has a password beside it. */
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** A publish key: opens `POST /write` and nothing else. */
  readonly key?: string | undefined;
}

/** The token of now, and a way to another one. */
export interface Bearer {
  /** Undefined: nobody is logged in. */
  readonly token: string | undefined;
  /** A collector refused this token. Resolves when there is another one, or none can be had. */
  renew(refused: string): Promise<void>;
}

export const tokenHeader = 'm1-auth-token';
export const keyHeader = 'x-crowdbeat-key';

/** What opens everything that the user may do. */
export const bearerHeaders = (token: string | undefined): Readonly<Record<string, string>> =>
  token === undefined ? {} : { [tokenHeader]: token };

/** What opens `POST /write`: the key, if there is one, as it can do less. */
export const publishHeaders = (
  token: string | undefined,
  key: string | undefined,
): Readonly<Record<string, string>> => (key === undefined ? bearerHeaders(token) : { [keyHeader]: key });
