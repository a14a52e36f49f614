/** The version of this program, from its package.json. */
import { existsSync, readFileSync } from 'node:fs';

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
