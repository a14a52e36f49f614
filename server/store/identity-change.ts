/** What an event says of a user, for the user's record and the visitors tied to it. */

export const identityTypes = ['signup', 'login', 'loginAndImport', 'updateUser', 'logout'] as const;

export type IdentityType = (typeof identityTypes)[number];

export interface IdentityChange {
  readonly type: IdentityType;
  /** Epoch ms of the event: of two that say different things the later one is right. */
  readonly timeMs: number;
  /**
   * False when the client gave no usable time and `timeMs` is that of receipt, which is another one each time
   * the event is sent.
   */
  readonly isOwnTime: boolean;
  readonly visitorId: string;
  /** Undefined only in updateUser and logout: then the visitor's user at that time is meant. */
  readonly userId: string | undefined;
  /** Members to be merged into the record's data; null takes one away. */
  readonly data: Readonly<Record<string, unknown>> | undefined;
  /** Epoch ms; of signup the event's time if it names none. */
  readonly signupMs: number | undefined;
}
