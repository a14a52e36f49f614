/** Where a run happened: stored with its result, because a figure without its machine says nothing. */
import { readFileSync } from 'node:fs';
import { arch, availableParallelism, cpus, platform, release, totalmem } from 'node:os';
import type { HealthReply } from '../../server/protocol/replies.ts';

export interface Environment {
  readonly crowdbeat: string;
  readonly node: string;
  readonly platform: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryBytes: number;
  /** What the target says of itself; null if it has no /health. */
  readonly collector: { readonly version: string; readonly redis: string | null } | null;
}

/** The package's version, from its package.json: two folders up from the sources, three from dist. */
export function packageVersion(): string {
  for (const path of ['../../package.json', '../../../package.json']) {
    const url = new URL(path, import.meta.url);
    const version = readVersion(url);
    if (version !== undefined) return version;
  }
  return 'unknown';
}

function readVersion(url: URL): string | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(url, 'utf8'));
    return typeof value === 'object' && value !== null && 'version' in value
      ? String(value.version)
      : undefined;
  } catch {
    // Not there: the other place is tried.
    return undefined;
  }
}

export function describeEnvironment(health: HealthReply | undefined): Environment {
  return {
    crowdbeat: packageVersion(),
    node: process.version,
    platform: `${platform()} ${release()} ${arch()}`,
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    collector:
      health === undefined
        ? null
        : { version: health.collector.version, redis: health.redis.version ?? null },
  };
}
