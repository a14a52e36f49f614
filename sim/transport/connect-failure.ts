/** What a system error means for a request that had no connection yet. */
import { messageOf, systemCodeOf } from '../../server/base/errors.ts';
import type { Failure, FailureKind } from './exchange.ts';

const kinds: Readonly<Record<string, FailureKind>> = {
  ECONNREFUSED: 'refused',
  ECONNRESET: 'reset',
  EPIPE: 'reset',
  EMFILE: 'no_descriptors',
  ENFILE: 'no_descriptors',
  // Every local port towards this target is taken: as much the generator's own limit as a descriptor.
  EADDRNOTAVAIL: 'no_descriptors',
  EAGAIN: 'no_descriptors',
};

/** Everything else, from EHOSTUNREACH over ENOTFOUND to a rejected certificate, is `unreachable`. */
export function connectFailure(target: string, thrown: unknown): Failure {
  const kind = kinds[systemCodeOf(thrown) ?? ''] ?? 'unreachable';
  return {
    kind,
    maybeDelivered: false,
    message: `connect to ${target}: ${messageOf(thrown) || systemCodeOf(thrown)}`,
  };
}
