/** One doorway per package: whoever wants Redis goes through the store, and so on. */
import { importsOf, isScript, isTest } from './source.mjs';

/** @type {{ name: string, where: RegExp, said: string }[]} */
export const doorways = [
  { name: 'ioredis', where: /^server\/store\//, said: 'server/store' },
  { name: 'piscina', where: /^sim\/(?:run|worker)\//, said: 'sim/run and sim/worker' },
  { name: 'hdr-histogram-js', where: /^sim\/measure\//, said: 'sim/measure' },
  { name: '@faker-js/faker', where: /^sim\/crowd\//, said: 'sim/crowd' },
  {
    name: 'yargs',
    where: /^scripts\/(?:crowdbeat|cli-[\w.-]+)\.ts$/,
    said: 'scripts/crowdbeat.ts and scripts/cli-*.ts',
  },
  ...['maxmind', 'mmdb-lib', 'bowser', 'isbot'].map((name) => ({
    name,
    where: /^server\/ingest\/enrich\//,
    said: 'server/ingest/enrich',
  })),
  { name: 'prom-client', where: /^server\/main\/metrics[\w-]*\.ts$/, said: 'server/main/metrics*.ts' },
  { name: 'pino', where: /^server\/main\/log\.ts$/, said: 'server/main/log.ts' },
  { name: 'playwright-core', where: /^bench\/report\/page\//, said: 'bench/report/page' },
  { name: 'autocannon', where: /^bench\//, said: 'bench' },
];

/** What is built must run without these. */
const testPackages = ['vitest', 'fast-check', 'playwright-core'];

/** @type {import('./source.mjs').Check} */
export function checkDoorways(path, text) {
  if (!isScript(path)) return [];
  return importsOf(text).flatMap(({ specifier, line }) => {
    const isIn = (/** @type {string} */ name) => specifier === name || specifier.startsWith(`${name}/`);
    const door = doorways.find(({ name }) => isIn(name));
    if (door !== undefined && !door.where.test(path))
      return [{ line, message: `${door.name} is imported in ${door.said} only` }];
    if (!testPackages.some(isIn) || isTest(path) || !path.includes('/')) return [];
    return [{ line, message: `${specifier} is imported in tests only` }];
  });
}
