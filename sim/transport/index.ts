/** The public entry of this room. */

export type { ExchangeHandler, Failure, FailureKind, Reply } from './exchange.ts';
export { HttpPool, type HttpPoolOptions } from './http-pool.ts';
export { type RequestHeadOptions, requestHead } from './http-request.ts';
