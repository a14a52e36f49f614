/** Which program this is: its version from package.json, and a hash over its files. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { buildHashOf } from '../base/build-hash.ts';

/** The sources lie two folders below package.json, the built files three. */
const candidates = ['../../package.json', '../../../package.json'];

export function readVersion(): string {
  for (const candidate of candidates) {
    const file = new URL(candidate, import.meta.url);
    if (!existsSync(file)) continue;
    const content: unknown = JSON.parse(readFileSync(file, 'utf8'));
    if (typeof content !== 'object' || content === null || !('version' in content)) continue;
    return String(content.version);
  }
  return 'unknown';
}

let build: string | undefined;

/**
 * `sha256:…` over the programs of the collector. Read once a process (some 50 ms), when /health is first asked: a
 * start should not wait for it, and who measures asks as soon as the collector is up.
 */
export function readBuild(): string {
  build ??= buildHashOf(fileURLToPath(new URL('../..', import.meta.url))) ?? 'unknown';
  return build;
}
