/** All routes of accounts, users and rights, for the collector. */
import type { Gate } from '../access/authorize.ts';
import { type PasswordCost, PasswordHasher } from '../access/password.ts';
import type { Clock } from '../base/clock.ts';
import type { Sender } from '../ingest/enrich/enricher.ts';
import type { RedisConnection } from '../store/connection.ts';
import { authRoute } from './auth.ts';
import { corsRoutes } from './cors.ts';
import type { Log } from './failure.ts';
import { propertyRoutes } from './properties.ts';
import type { Route } from './router.ts';
import { systemRoutes } from './system.ts';
import { userRoutes } from './users.ts';

export interface AccessRoutesOptions {
  readonly connection: RedisConnection;
  readonly gate: Gate;
  readonly clock: Clock;
  readonly log: Log;
  /** The address that logins are counted by: the client's, behind trusted proxies too. */
  readonly addressOf: (sender: Sender) => string;
  /** Tests take less. */
  readonly passwordCost?: PasswordCost | undefined;
}

export function accessRoutes(options: AccessRoutesOptions): Route[] {
  const shared = { ...options, hasher: new PasswordHasher(options.passwordCost) };
  return [
    authRoute(shared),
    ...userRoutes(shared),
    ...systemRoutes(shared),
    ...corsRoutes(shared),
    ...propertyRoutes(shared),
  ];
}
