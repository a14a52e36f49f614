import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { limits } from './limits.ts';

test('docs/api.md names every limit with its value', () => {
  const page = readFileSync(new URL('../../docs/api.md', import.meta.url), 'utf8');
  for (const [name, value] of Object.entries(limits)) {
    const row = page.split('\n').find((line) => line.startsWith(`| \`${name}\` |`));
    expect(row, name).toBeDefined();
    const said = row?.split('|')[2]?.replaceAll(',', '');
    expect(said, name).toMatch(new RegExp(`(^|\\D)${value}(\\D|$)`));
  }
});
