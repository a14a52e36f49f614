/** What ingest hands to the store, and what the store says became of it. */
import type { IdentityChange } from './identity-change.ts';

/** One proven and enriched event. Nothing behind this line checks it again. */
export interface EventRecord {
  readonly type: string;
  /** Epoch ms, whole, not negative: the time that decides the buckets. */
  readonly timeMs: number;
  readonly visitorId: string;
  readonly sessionId: string | undefined;
  /** Epoch ms, whole, not negative. Decides the session's day when it is the first one seen. */
  readonly sessionStartMs: number | undefined;
  /** Empty when the client named no tab. */
  readonly tabId: string;
  /** The client's number of the event within (session, tab), from 1; 0 when it does not number its events. */
  readonly seq: number;
  readonly eventId: string | undefined;
  readonly source: string | undefined;
  readonly campaign: string | undefined;
  readonly pagePath: string | undefined;
  readonly userId: string | undefined;
  /** What the event says of a user: only signup, login, loginAndImport, updateUser and logout do. */
  readonly identity?: IdentityChange | undefined;
  /** Sent by a program that visits by itself: counted apart from people, under names of its own. */
  readonly isBot: boolean;
  /** The document as it will be stored: one JSON object. */
  readonly json: string;
}

/**
 * `duplicate` was counted before; `too_old` is left of the window of seen numbers (nobody can tell
 * whether it was counted); `seq_jump` is too far above the highest number; see limits.ts.
 */
export type CommitOutcome = 'accepted' | 'duplicate' | 'too_old' | 'seq_jump' | 'too_many_tabs';
