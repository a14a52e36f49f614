/**
 * A commit as a build of its own. Its files come from `git archive`, so nothing is left behind in the repository
 * whatever happens; packages are shared with this checkout if both have the same lock file, and installed otherwise.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CrowdbeatError, messageOf } from '../../server/base/errors.ts';
import { commitOf } from '../record/index.ts';

export interface Build {
  readonly sha: string | null;
  readonly dirty: boolean | null;
  readonly mergeBase: boolean;
  /** Its `dist`. */
  readonly built: string;
  readonly program: string;
}

/** Commits that were built, until `remove`; also removed when this program ends. */
export class Builds {
  readonly #root: string;
  readonly #scratch: string;
  readonly #say: (line: string) => void;
  readonly #known = new Map<string, Build>();
  readonly #onExit = (): void => rmSync(this.#scratch, { recursive: true, force: true });

  /** @param root the checkout */
  constructor(root: string, say: (line: string) => void) {
    this.#root = root;
    this.#say = say;
    this.#scratch = mkdtempSync(join(tmpdir(), 'crowdbeat-builds-'));
    process.once('exit', this.#onExit);
  }

  /**
   * `.` is this checkout as it is built; `merge-base` where this branch left the main one (its parent, on the main
   * branch itself); anything else what git calls so. Throws CB_OPTION for what git doesn't know, CB_BUILD for what
   * can't be built.
   */
  get(name: string): Build {
    if (name === '.') return this.#here();
    const mergeBase = name === 'merge-base';
    const sha = mergeBase ? this.#mergeBase() : this.#resolve(name);
    const known = this.#known.get(sha) ?? { ...this.#build(sha), mergeBase };
    this.#known.set(sha, known);
    return known;
  }

  remove(): void {
    process.off('exit', this.#onExit);
    this.#onExit();
  }

  #here(): Build {
    const built = join(this.#root, 'dist');
    const program = join(built, 'scripts/crowdbeat.js');
    if (!existsSync(program))
      throw new CrowdbeatError('CB_BUILD', `${built}: this checkout is not built; npm run build does it`);
    return { ...commitOf(this.#root), mergeBase: false, built, program };
  }

  #resolve(name: string): string {
    const sha = this.#git('rev-parse', '--verify', '--quiet', '--end-of-options', `${name}^{commit}`);
    if (sha !== undefined) return sha;
    const shallow = this.#git('rev-parse', '--is-shallow-repository') === 'true';
    const remedy = shallow ? '; this clone is shallow, git fetch --unshallow gets the rest' : '';
    throw new CrowdbeatError(
      'CB_OPTION',
      `compare: needs a commit, a session or baseline:NAME, got ${JSON.stringify(name)}${remedy}`,
    );
  }

  #mergeBase(): string {
    const head = this.#resolve('HEAD');
    for (const main of ['origin/HEAD', 'origin/main', 'origin/master', 'main', 'master']) {
      const base = this.#git('merge-base', main, 'HEAD');
      if (base !== undefined) return base === head ? this.#resolve('HEAD~1') : base;
    }
    throw new CrowdbeatError(
      'CB_OPTION',
      'compare: merge-base: needs a branch main or master to have left from',
    );
  }

  #git(...args: readonly string[]): string | undefined {
    const { status, stdout } = spawnSync('git', ['-C', this.#root, ...args], { encoding: 'utf8' });
    return status === 0 ? stdout.trim() : undefined;
  }

  #build(sha: string): Omit<Build, 'mergeBase'> {
    const directory = join(this.#scratch, sha.slice(0, 12));
    this.#say(`building ${sha.slice(0, 7)} …`);
    mkdirSync(directory);
    try {
      const archive = execFileSync('git', ['-C', this.#root, 'archive', sha], { maxBuffer: 1 << 30 });
      execFileSync('tar', ['-x', '-C', directory], { input: archive });
      this.#packages(directory);
      run(directory, 'npm', ['run', 'build', '--silent']);
    } catch (error) {
      throw new CrowdbeatError('CB_BUILD', `${sha.slice(0, 7)} does not build: ${firstLines(error)}`, {
        cause: error,
      });
    }
    const built = join(directory, 'dist');
    return { sha, dirty: false, built, program: join(built, 'scripts/crowdbeat.js') };
  }

  #packages(directory: string): void {
    const lock = (place: string): string | undefined => {
      const path = join(place, 'package-lock.json');
      return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
    };
    const ours = join(this.#root, 'node_modules');
    if (existsSync(ours) && lock(directory) === lock(this.#root))
      symlinkSync(ours, join(directory, 'node_modules'));
    else run(directory, 'npm', ['ci', '--no-audit', '--no-fund']);
  }
}

function run(cwd: string, program: string, args: readonly string[]): void {
  const { status, stdout, stderr, error } = spawnSync(program, args, { cwd, encoding: 'utf8' });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${program} ${args[0]} ended with code ${status}: ${stderr}${stdout}`);
}

function firstLines(error: unknown): string {
  const lines = messageOf(error)
    .split('\n')
    .filter((line) => line.trim() !== '');
  return lines.slice(0, 5).join(' | ').slice(0, 600);
}
