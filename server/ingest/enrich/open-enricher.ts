/** From the options of a collector to its enricher. */
import type { TimeLimits } from '../enrich.ts';
import { Enricher } from './enricher.ts';
import { GeoDatabase } from './geo-database.ts';
import { TrustedProxies } from './trusted-proxies.ts';

/** Plain values, so that they can be sent to another process. */
export interface EnrichmentOptions {
  /** MMDB file; undefined: no `_m1.geo`. */
  readonly geoFile?: string | undefined;
  /** Proxies whose X-Forwarded-For is believed, as `--trust-proxy` takes them; undefined: nobody's. */
  readonly trustProxy?: string | undefined;
  /** Whether agents are read and bots counted apart. Default true. */
  readonly agents?: boolean | undefined;
}

/** Throws CB_FILE if the geo database can't be read, CB_OPTION if the proxies are no ranges. */
export function openEnricher(options: EnrichmentOptions = {}, timeLimits?: TimeLimits): Enricher {
  const { geoFile, trustProxy, agents } = options;
  return new Enricher({
    proxies: trustProxy === undefined ? undefined : new TrustedProxies(trustProxy),
    geo: geoFile === undefined ? undefined : new GeoDatabase(geoFile),
    agents,
    timeLimits,
  });
}
