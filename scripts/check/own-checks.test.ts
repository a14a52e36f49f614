import { describe, expect, it } from 'vitest';
import { ownChecks } from './own-checks.mjs';

type Rule = keyof typeof ownChecks;

const lines = (rule: Rule, path: string, text: string): number[] =>
  ownChecks[rule](path, text).map(({ line }) => line);
const importing = (specifier: string): string => `\nimport type { A } from '${specifier}';\n`;

/** Rule, path, text: what each check must let pass. */
const good: readonly (readonly [Rule, string, string])[] = [
  ['floors', 'server/store/commit.ts', importing('../base/clock.ts')],
  ['floors', 'server/http/api.ts', importing('../ingest/accept.ts')],
  ['floors', 'server/store/a.ts', importing('./b.ts')],
  ['floors', 'server/store/a.ts', importing('ioredis')],
  ['floors', 'sim/run/run.ts', importing('../../server/protocol/event.ts')],
  ['floors', 'sim/worker/a.ts', importing('../measure/recorder.ts')],
  ['floors', 'bench/main/a.ts', importing('../../sim/measure/hlog.ts')],
  ['floors', 'bench/null-server.ts', importing('../server/base/clock.ts')],
  ['floors', 'scripts/crowdbeat.ts', importing('../sim/run/run.ts')],
  ['floors', 'scripts/cli-serve.ts', importing('../server/main/collector.ts')],
  ['floors', 'scripts/crowdbeat.ts', importing('./cli-serve.ts')],
  ['floors', 'sim/audit/audit.test.ts', importing('../../server/main/collector.ts')],
  ['floors', 'server/ingest/a.test.ts', importing('../main/embedded-redis.testing.ts')],
  ['floors', 'server/query/a.test.ts', importing('../sessions/b.ts')],
  ['floors', 'vitest.config.ts', importing('vitest/config')],
  ['floors', 'server/base/a.ts', `// import '../main/b.ts'\nconst text = "import '../main/b.ts'";`],
  ['doorways', 'server/store/connection.ts', importing('ioredis')],
  ['doorways', 'sim/run/pool.ts', importing('piscina')],
  ['doorways', 'sim/measure/hlog.ts', importing('hdr-histogram-js')],
  ['doorways', 'sim/crowd/profile.ts', importing('@faker-js/faker')],
  ['doorways', 'scripts/cli-sim.ts', importing('yargs/helpers')],
  ['doorways', 'bench/scenarios/a.ts', importing('autocannon')],
  ['doorways', 'server/base/a.ts', importing('ioredis-like')],
  ['doorways', 'server/base/a.test.ts', importing('fast-check')],
  ['chance', 'server/base/clock.ts', 'Date.now(); performance.now();'],
  ['chance', 'sim/run/a.ts', `const date = new Date(0); // Math.random\nconst text = 'Date.now()';`],
  ['chance', 'scripts/a.mjs', 'console.log(1);'],
  ['chance', 'server/a.ts', 'const half = a / b; // console.log\nthis.console.log(1 / 2);'],
  ['size', 'server/a.ts', `${'x\n'.repeat(400)}`],
  ['size', 'server/a.ts', 'ü'.repeat(140)],
  ['tests', 'server/a.test.ts', `// Needs a Mac.\nit.skip('x', () => {});`],
  ['tests', 'server/a.test.ts', `it('x', () => { expect(a).toEqual({ id: expect.any(Number) }); });`],
  ['tests', 'server/a.ts', `const many = 1; // as any other\nconst text = ': any'; select.only('a');`],
  ['tests', 'server/a.ts', `const pattern = /TODO|: any/; const mark = 'TODO';`],
];

/** Rule, path, text, line of the finding: what each check must catch. */
const bad: readonly (readonly [Rule, string, string, number])[] = [
  ['floors', 'server/base/a.ts', importing('../protocol/event.ts'), 2],
  ['floors', 'server/ingest/a.ts', importing('../query/parse.ts'), 2],
  ['floors', 'server/ingest/a.ts', 'export { a } from "../http/api.ts";', 1],
  ['floors', 'server/ingest/a.ts', "export * from '../http/api.ts';", 1],
  ['floors', 'server/store/a.ts', "const a = await import('../main/collector.ts');", 1],
  ['floors', 'server/store/a.ts', "let a: typeof import('../main/collector.ts');", 1],
  ['floors', 'server/store/a.ts', "import '../main/collector.ts';", 1],
  ['floors', 'server/store/a.ts', "import {\n  a,\n  b,\n} from '../main/collector.ts';", 4],
  ['floors', 'server/store/a.ts', importing('../../sim/crowd/a.ts'), 2],
  ['floors', 'sim/run/a.ts', importing('../../server/store/keys.ts'), 2],
  ['floors', 'sim/crowd/a.ts', importing('../schedule/a.ts'), 2],
  ['floors', 'sim/run/a.ts', importing('../../scripts/cli-sim.ts'), 2],
  ['floors', 'bench/main/a.ts', importing('../../sim/worker/a.ts'), 2],
  ['floors', 'bench/main/a.ts', importing('../../server/main/collector.ts'), 2],
  ['floors', 'scripts/helper.ts', importing('../server/store/keys.ts'), 2],
  ['floors', 'sim/cellar/a.ts', importing('../crowd/a.ts'), 2],
  ['floors', 'server/main/a.ts', importing('./b.testing.ts'), 2],
  ['floors', 'server/main/a.ts', importing('../../../elsewhere/a.ts'), 2],
  ['floors', 'sim/audit/audit.test.ts', importing('../../server/http/api.ts'), 2],
  ['floors', 'server/ingest/a.test.ts', importing('../http/api.ts'), 2],
  ['floors', 'server/base/a.ts', "const half = a / b;\nimport('../main/b.ts'); // a / b", 2],
  ['floors', 'server/base/a.ts', "const text = `${`}${1}`} import`;\nimport '../main/b.ts';", 2],
  ['doorways', 'server/http/a.ts', importing('ioredis'), 2],
  ['doorways', 'sim/targets/a.test.ts', importing('piscina'), 2],
  ['doorways', 'sim/worker/a.ts', importing('hdr-histogram-js'), 2],
  ['doorways', 'sim/random/a.ts', importing('@faker-js/faker/locale/en'), 2],
  ['doorways', 'scripts/other.ts', importing('yargs'), 2],
  ['doorways', 'sim/transport/a.ts', importing('autocannon'), 2],
  ['doorways', 'server/main/a.ts', importing('vitest'), 2],
  ['chance', 'sim/run/a.ts', '\nconst a = Date.now();', 2],
  ['chance', 'server/base/clock.test.ts', 'performance.now()', 1],
  ['chance', 'sim/run/a.ts', 'new Date( )', 1],
  ['chance', 'sim/run/a.ts', 'const now = new Date;', 1],
  ['chance', 'scripts/a.mjs', 'Math.random()', 1],
  ['chance', 'sim/run/a.ts', 'const start = process.hrtime.bigint();', 1],
  ['chance', 'sim/run/a.ts', 'const line = `at $' + '{Date.now()}`;', 1],
  ['chance', 'server/http/a.ts', 'console.error(1)', 1],
  ['size', 'server/a.ts', `${'x\n'.repeat(401)}`, 401],
  ['size', 'server/a.lua', `\n${'x'.repeat(141)}`, 2],
  ['tests', 'server/a.test.ts', "\nit.only('x', () => {});", 2],
  ['tests', 'server/a.test.ts', "describe.concurrent.only('x', () => {});", 1],
  ['tests', 'server/a.test.ts', "const a = 1; // a\n\nit.skip('x', () => {});", 3],
  ['tests', 'server/a.test.ts', "it.todo('x');", 1],
  ['tests', 'server/a.ts', 'const a = b as any;', 1],
  ['tests', 'server/a.ts', 'function f(a: any) {}', 1],
  ['tests', 'server/a.ts', 'const a: Map<string, any> = b;', 1],
  ['tests', 'server/a.ts', '// @ts-ignore\na();', 1],
  ['tests', 'server/a.ts', '/* @ts-nocheck */', 1],
  ['tests', 'server/a.ts', 'a(); // TODO later', 1],
  ['tests', 'server/a.lua', '-- FIXME', 1],
];

describe('lets pass', () => {
  it.each(good)('%s: %s: %j', (rule, path, text) => {
    expect(ownChecks[rule](path, text)).toEqual([]);
  });
});

describe('catches', () => {
  it.each(bad)('%s: %s: %j', (rule, path, text, line) => {
    expect(lines(rule, path, text)).toEqual([line]);
  });
});

it('names both sides of a forbidden import', () => {
  const [finding] = ownChecks.floors('server/base/a.ts', importing('../store/keys.ts'));
  expect(finding?.message).toBe(
    'server/store/keys.ts: imports only go down: server/base must not import server/store',
  );
});
