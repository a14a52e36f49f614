import { CrowdbeatError, messageOf } from '../server/base/errors.ts';
import { ensureRedisBinary } from '../server/main/install-redis.ts';
import { setUpGeo } from './cli-setup-geo.ts';

/**
 * `crowdbeat setup`: makes sure that the embedded Redis can be started, installing a server program where
 * that needs no person; and makes the geo database. Throws CB_REDIS_MISSING or CB_REDIS_TOO_OLD, with the command to type, unless
 * REDIS_URL names a server that can be used instead.
 */
export async function setupCommand(log: (line: string) => void): Promise<void> {
  try {
    const binary = await ensureRedisBinary(log);
    log(`Redis ${binary.version}: ${binary.path}`);
  } catch (thrown) {
    if (!(thrown instanceof CrowdbeatError) || (process.env['REDIS_URL'] ?? '') === '') throw thrown;
    log(`no Redis to embed, REDIS_URL is used instead: ${messageOf(thrown)}`);
  }
  await setUpGeo(log);
}
