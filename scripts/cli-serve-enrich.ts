/** The options of `serve` that say how events are enriched. */
import type { Argv } from 'yargs';
import { CrowdbeatError } from '../server/base/errors.ts';
import type { EnrichmentOptions } from '../server/ingest/enrich/open-enricher.ts';
import { findPackagedDatabase, geoPackage } from '../server/ingest/enrich/packaged-database.ts';
import { TrustedProxies } from '../server/ingest/enrich/trusted-proxies.ts';

export interface EnrichArguments {
  readonly geo?: string | undefined;
  readonly geoDb?: string | undefined;
  readonly trustProxy?: string | undefined;
  readonly agents?: string | undefined;
}

export interface ResolvedEnrichment extends EnrichmentOptions {
  /** Why there are no places although nobody said so; to be told. */
  readonly geoMissing?: string | undefined;
}

export const enrichOptions = <T>(yargs: Argv<T>) =>
  yargs
    .option('geo', { type: 'string', describe: 'on or off: whether events get the place of their address' })
    .option('geo-db', { type: 'string', describe: 'MMDB file to use instead of the packaged geo database' })
    .option('agents', {
      type: 'string',
      describe: 'on or off: whether browsers are read from agents and bots counted apart',
    })
    .option('trust-proxy', {
      type: 'string',
      describe: 'proxies whose X-Forwarded-For is believed: ranges, loopback, private (default none)',
    });

/** Throws CrowdbeatError CB_OPTION naming the option, the rule and the value. */
export function resolveEnrichment({ geo, geoDb, trustProxy, agents }: EnrichArguments): ResolvedEnrichment {
  checkSwitch('--geo', geo);
  checkSwitch('--agents', agents);
  if (geo === 'off' && geoDb !== undefined)
    throw new CrowdbeatError(
      'CB_OPTION',
      `--geo-db: needs --geo on, got --geo off and ${JSON.stringify(geoDb)}`,
    );
  if (geoDb === '') throw new CrowdbeatError('CB_OPTION', '--geo-db: needs a file, got ""');
  // Looked at here, before anything is started.
  if (trustProxy !== undefined) new TrustedProxies(trustProxy);
  const others = { trustProxy, agents: agents !== 'off' };
  if (geo === 'off') return others;
  if (geoDb !== undefined) return { ...others, geoFile: geoDb };
  const found = findPackagedDatabase();
  if (found?.isMade) return { ...others, geoFile: found.file };
  const why =
    found === undefined
      ? `the package ${geoPackage} is not installed`
      : 'the geo database is not made yet; run: crowdbeat setup';
  if (geo === 'on') throw new CrowdbeatError('CB_OPTION', `--geo: can't be on, ${why}`);
  return { ...others, geoMissing: why };
}

function checkSwitch(name: string, value: string | undefined): void {
  if (value === undefined || value === 'on' || value === 'off') return;
  throw new CrowdbeatError('CB_OPTION', `${name}: needs on or off, got ${JSON.stringify(value)}`);
}
