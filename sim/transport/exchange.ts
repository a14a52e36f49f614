/** What a user of the pool gives and gets. One exchange is one request and its reply, or its failure. */

/**
 * Why there is no reply.
 *
 * refused: nothing listens there. unreachable: no route, no such name, no answer to the connect, or no
 * agreement on TLS. no_descriptors: this machine has no descriptor or port left for one more socket.
 * reset: the connection ended before the first byte of a reply. closed_early: it ended within a reply, or
 * the pool was closed. timeout: no complete reply in time. garbage: not HTTP, or contradicting itself.
 * too_large: a head over 64 KiB or a body over 1 MiB.
 */
export type FailureKind =
  | 'refused'
  | 'reset'
  | 'closed_early'
  | 'timeout'
  | 'garbage'
  | 'too_large'
  | 'unreachable'
  | 'no_descriptors';

export interface Failure {
  readonly kind: FailureKind;
  /** False: surely nothing of the request reached the target. */
  readonly maybeDelivered: boolean;
  readonly message: string;
}

/** Reused for every reply: read it inside the call only. */
export interface Reply {
  readonly status: number;
  /** From `Retry-After`, seconds or date; -1 if there was none. */
  readonly retryAfterMs: number;
  /** Read as UTF-8; at most 1 MiB. */
  readonly body: string;
}

/**
 * One object for all exchanges, told apart by token, so that a request costs no closure. All times are
 * `clock.monotonicMs()`. The calls may send further requests. They must not throw.
 */
export interface ExchangeHandler {
  /** The request's bytes were handed to the socket; `atMs` is just before that. May run inside `send`. */
  onSent(token: number, atMs: number): void;
  onReply(token: number, reply: Reply, atMs: number): void;
  onFailure(token: number, failure: Failure, atMs: number): void;
}
