/** A run's name: when it began (UTC) and six hex digits of chance, so that names sort and never meet. */
import { randomBytes } from 'node:crypto';

export function newRunId(wallMs: number): string {
  const stamp = new Date(wallMs).toISOString().replace(/[-:]/g, '').slice(0, 15);
  return `${stamp}Z-${randomBytes(3).toString('hex')}`;
}
