/**
 * Operating errors: things that go wrong outside the program and that a person must read. One class,
 * one table of stable codes. Programmer errors use node:assert; a failed request or a rejected event
 * is data, not an error.
 */
export const errorCodes = {
  CB_OPTION: 'an option or a config file has a value that the rules do not allow',
  CB_FILE: 'a file or directory could not be read, written or created',
  CB_PORT_TAKEN: 'the port to listen on is in use',
  CB_REDIS_MISSING: 'no redis-server or valkey-server binary was found',
  CB_REDIS_UNREACHABLE: 'Redis did not answer',
  CB_REDIS_TOO_OLD: 'the Redis server is older than 7.0',
  CB_REDIS_START: 'the embedded Redis did not start',
  CB_REDIS_REPLY: 'Redis refused a command, for example because a key holds a value of another type',
  CB_REDIS_FULL: 'Redis is at its maxmemory and takes no more; nothing was written',
  CB_REDIS_DISK: 'Redis can not write to its disk and takes no more; nothing was written',
  CB_NOT_REPLICATED: 'a commit is stored, but no replica is known to have it',
  CB_NOT_FSYNCED: 'a commit is stored, but not known to be on the disk of Redis',
  CB_REDIS_STALE: 'a commit kept meeting changed data in Redis and was given up',
  CB_BUSY: 'too much of this is asked for at the same time; it works a little later',
  CB_PROPERTY_DELETING: 'the property is being deleted; nothing is written to it until that has ended',
  CB_QUERY_TIMEOUT: 'a question took longer than its time limit and was ended',
  CB_QUERY_CANCELLED: 'whoever asked a question went away before its answer',
  CB_TARGET_UNREACHABLE: 'the target of the run does not answer as a collector',
  CB_REFUSED: 'the collector refused a request, and would refuse it again',
  CB_COLLECTOR_START: 'the collector process did not start',
  CB_RECORD: 'a record of a benchmark does not keep its schema',
  CB_RECORD_VERSION: 'a record of a benchmark is of another version of its schema',
  CB_BUILD: 'a commit could not be fetched or built, so it can not be measured',
  CB_WORKER: 'a simulator worker ended before its crowd did',
} as const;

export type ErrorCode = keyof typeof errorCodes;

export class CrowdbeatError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'CrowdbeatError';
    this.code = code;
  }
}

/** The message of anything that was thrown; `unknown` is narrowed here and nowhere else. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** The `code` of a Node system error (`ECONNREFUSED`, `ENOSPC` …), or undefined. */
export function systemCodeOf(thrown: unknown): string | undefined {
  if (!(thrown instanceof Error) || !('code' in thrown)) return undefined;
  return typeof thrown.code === 'string' ? thrown.code : undefined;
}
