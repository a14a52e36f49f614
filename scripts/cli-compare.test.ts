import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { placesIn, readSession } from '../bench/record/index.ts';
import { lives, makeHome, Program, until } from './program.testing.ts';

let home: ReturnType<typeof makeHome>;

beforeEach(() => {
  home = makeHome();
});

afterEach(() => home.remove());

const crowdbeat = (...args: string[]): Program => new Program(args, home.path, { GITHUB_STEP_SUMMARY: '' });

function sessionDirectory(): string {
  const root = join(home.path, 'results/bench');
  const [name] = readdirSync(root).filter((entry) => entry !== 'index.jsonl');
  return join(root, name ?? 'none');
}

/** Every process below one, as /proc tells. */
function descendants(pid: number): number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      parents.set(Number(name), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]));
    } catch {
      // It ended between the listing and the reading.
    }
  }
  const below = (of: number): number[] =>
    [...parents].flatMap(([child, parent]) => (parent === of ? [child, ...below(child)] : []));
  return below(pid);
}

test('a session of one pair leaves its records, its outputs, a report and a line of history, and its code is its verdict’s', async () => {
  const { stdout, stderr, code } = await crowdbeat('compare', '.', '.', '--smoke', '--pairs', '1').ended;
  expect(stderr).toBe('');
  expect(stdout).toContain('with 1 pairs nothing can be flagged; 8 are the fewest');
  const verdict = /^verdict: (\w+)\./m.exec(stdout)?.[1];
  // A busy machine makes it invalid, and then it must say so; one pair can't prove anything else.
  expect(code).toBe(verdict === 'INVALID' ? 30 : 0);
  const directory = sessionDirectory();
  const { session, trials } = readSession(directory);
  expect(session).toMatchObject({ verdict, identicalBuilds: true, kind: 'aa' });
  expect(trials.map(({ trialId }) => trialId).sort()).toEqual(['p01-B', 'p01-C']);
  for (const { ops, buildHash, server } of trials) {
    expect(buildHash).toBe(session.arms.B.buildHash);
    expect(Object.keys(ops)).toEqual(['ingest', 'query.count', 'query.visitors']);
    for (const { response } of Object.values(ops)) expect(response.n).toBeGreaterThan(30);
    expect(server.cpuUserS).toBeGreaterThan(0);
  }
  for (const file of ['compare.json', 'summary.md', 'junit.xml', 'metrics.prom', 'bencher.json'])
    expect(existsSync(join(directory, file)), file).toBe(true);
  expect((await crowdbeat('report', session.id).ended).stdout).toContain('report.html');
  expect((await crowdbeat('report', session.id, '--format', 'junit').ended).stdout).toContain('<testsuite');
  expect((await crowdbeat('history', 'ingest').ended).code).toBe(0);
}, 180_000);

test('a session that is killed keeps its finished trials, and no process outlives it', async () => {
  const bench = crowdbeat('compare', '.', '.', '--smoke', '--pairs', '3');
  await until(
    'the first trial',
    () => existsSync(join(home.path, 'results/bench')) && trialsSoFar() >= 1,
    120_000,
  );
  let children: number[] = [];
  // A trial has its collector, its Redis and its crowd running for most of its time.
  await until('the programs of a trial', () => {
    children = descendants(bench.child.pid ?? 0);
    return children.length >= 3;
  });
  bench.child.kill('SIGKILL');
  await bench.ended;
  await until('the end of every child', () => children.every((pid) => !lives(pid)), 60_000);
  const { session, trials, notes } = readSession(sessionDirectory());
  expect(session.endedAt).toBeNull();
  expect(trials.length).toBeGreaterThanOrEqual(1);
  expect(notes.join()).toContain('the session never ended; its finished trials are used');
}, 240_000);

function trialsSoFar(): number {
  const file = placesIn(sessionDirectory()).trials;
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').length - 1 : 0;
}

test('what can not be measured is refused before anything is started', async () => {
  const refused = async (...args: string[]): Promise<string> => {
    const { code, stderr } = await crowdbeat(...args).ended;
    expect(code).toBe(1);
    return stderr;
  };
  expect(await refused('compare', 'no-such-commit', '.')).toContain(
    'needs a commit, a session or baseline:NAME',
  );
  expect(await refused('compare', '.', '.', '--pairs', '0')).toContain(
    '--pairs: needs a whole number from 1 to 200',
  );
  expect(await refused('compare', '.', '.', '--inject-delay', 'all=5%')).toContain('--inject-delay: needs');
  expect(await refused('compare', 'baseline:main', '.')).toContain('baselines/main.json');
  expect(await refused('report', 'nothing')).toContain('nothing: is neither a folder nor a result');
  expect((await crowdbeat('history').ended).stdout).toContain('no session has been recorded here yet');
});
