import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Builds } from './builds.ts';

let repository = '';
let builds: Builds;

const git = (...args: string[]): string =>
  execFileSync('git', ['-C', repository, '-c', 'user.name=t', '-c', 'user.email=t@localhost', ...args], {
    encoding: 'utf8',
  }).trim();

/** A commit whose build writes its text as the program, or fails. */
function commit(text: string, fails = false): string {
  const script = fails
    ? 'echo it is broken >&2; exit 3'
    : 'mkdir -p dist/scripts && cp text dist/scripts/crowdbeat.js';
  writeFileSync(join(repository, 'text'), text);
  writeFileSync(join(repository, 'package.json'), JSON.stringify({ name: 'x', scripts: { build: script } }));
  git('add', '.');
  git('commit', '-q', '-m', text);
  return git('rev-parse', 'HEAD');
}

beforeEach(() => {
  repository = mkdtempSync(join(tmpdir(), 'crowdbeat-repository-'));
  git('init', '-q', '-b', 'main');
  mkdirSync(join(repository, 'node_modules'));
  writeFileSync(join(repository, '.gitignore'), 'node_modules\ndist\n');
  builds = new Builds(repository, () => undefined);
});

afterEach(() => {
  builds.remove();
  rmSync(repository, { recursive: true, force: true });
});

test('a commit is built apart from the checkout, once, and goes with the builds', () => {
  const sha = commit('first');
  commit('second');
  const build = builds.get('HEAD~1');
  expect(build).toMatchObject({ sha, dirty: false, mergeBase: false });
  expect(readFileSync(build.program, 'utf8')).toBe('first');
  expect(builds.get(sha)).toBe(build);
  expect(git('status', '--porcelain')).toBe('');
  builds.remove();
  expect(existsSync(dirname(build.built))).toBe(false);
});

test('the merge base is where a branch left main, also on a detached head; on main itself it is the parent', () => {
  const first = commit('first');
  const second = commit('second');
  expect(builds.get('merge-base')).toMatchObject({ sha: first, mergeBase: true });
  git('checkout', '-q', '-b', 'work');
  commit('third');
  git('checkout', '-q', '--detach');
  expect(builds.get('merge-base')).toMatchObject({ sha: second, mergeBase: true });
});

test('a commit that does not build is named with what the build said', () => {
  const sha = commit('bad', true);
  expect(() => builds.get('HEAD')).toThrow(
    new RegExp(`${sha.slice(0, 7)} does not build: .*code 3.*it is broken`),
  );
});

test('what git does not know is refused, an option among it', () => {
  commit('first');
  for (const name of ['nothing', '--output=x', ''])
    expect(() => builds.get(name)).toThrow(/compare: needs a commit, a session or baseline:NAME, got/);
});

test('a checkout that is not built is told how to be', () => {
  commit('first');
  expect(() => builds.get('.')).toThrow(/is not built; npm run build does it/);
});
