/**
 * Which build an arm is: the commit by git, the program by a hash over what it runs. The hash is taken from the
 * running server where it says it (`collector.build` of `/health`): a comparison whose two arms started the same
 * files by mistake is otherwise a comparison of a build with itself, and looks like a fine result.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { buildHashOf } from '../../server/base/build-hash.ts';
import type { Arm, Workload } from './session.ts';

/** `sha` and `dirty` are null outside a git tree, or without git. */
export function commitOf(directory: string): Pick<Arm, 'sha' | 'dirty'> {
  const sha = git(directory, ['rev-parse', 'HEAD']);
  const status = git(directory, ['status', '--porcelain', '--untracked-files=no']);
  return { sha, dirty: sha === null || status === null ? null : status !== '' };
}

function git(directory: string, args: readonly string[]): string | null {
  try {
    // A variable of a surrounding hook would make git look at another tree than the one asked for.
    const { GIT_DIR: _dir, GIT_WORK_TREE: _tree, GIT_INDEX_FILE: _index, ...env } = process.env;
    const stdio: ['ignore', 'pipe', 'ignore'] = ['ignore', 'pipe', 'ignore'];
    return execFileSync('git', ['-C', directory, ...args], { encoding: 'utf8', stdio, env }).trim();
  } catch {
    // No git, or no repository: a build without a commit is still a build.
    return null;
  }
}

/** What a running server says of itself, in the reply of its /health; null where it says nothing. */
export function buildOfHealth(reply: unknown): {
  buildHash: string | null;
  version: string | null;
  redis: string | null;
} {
  const collector = memberOf(reply, 'collector');
  return {
    buildHash: textOf(memberOf(collector, 'build')),
    version: textOf(memberOf(collector, 'version')),
    redis: textOf(memberOf(memberOf(reply, 'redis'), 'version')),
  };
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

export interface ArmOptions {
  /** The worktree that the arm was built in. */
  readonly directory: string;
  /** Its built program, such as `dist`. */
  readonly built: string;
  readonly cmd: readonly string[];
  /** Options and environment that the server is started with, whatever has an effect. */
  readonly config: Readonly<Record<string, string>>;
  readonly mergeBase: boolean;
  /** The reply of the running server's /health, once it is there. */
  readonly health?: unknown;
}

/** Of an arm whose server doesn't say its hash, the hash of its files. */
export function describeArm(options: ArmOptions): Arm {
  const told = buildOfHealth(options.health);
  return {
    ...commitOf(options.directory),
    mergeBase: options.mergeBase,
    buildHash: told.buildHash ?? buildHashOf(options.built) ?? null,
    version: told.version,
    cmd: options.cmd,
    configHash: hashOf(Object.entries(options.config).sort(([a], [b]) => (a < b ? -1 : 1))),
  };
}

/** Two arms are one build if both hashes are known and equal; an injected delay is another configuration. */
export function areIdentical(base: Arm, candidate: Arm): boolean {
  return (
    base.buildHash !== null &&
    base.buildHash === candidate.buildHash &&
    base.configHash === candidate.configHash
  );
}

/**
 * Two runs of one workload do the same acts at the same times: same scenario, seed, data, and a generator that
 * differs at most in its last digit.
 */
export function workloadHashOf(
  workload: Pick<Workload, 'scenarioHash' | 'datasetHash' | 'generatorVersion'>,
  seed: number,
): string {
  const generator = workload.generatorVersion.split('.').slice(0, 2).join('.');
  return hashOf([workload.scenarioHash, seed, workload.datasetHash, generator]);
}

/** `sha256:…` over a value's JSON. */
export function hashOf(value: unknown): string {
  return `sha256:${createHash('sha256').update(JSON.stringify(value)).digest('hex')}`;
}
