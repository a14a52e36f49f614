import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { readCrowd } from './presets/index.ts';

test('the crowds that the documentation shows keep the rules', () => {
  const text = readFileSync(new URL('../../docs/crowd.md', import.meta.url), 'utf8');
  const shown = [...text.matchAll(/```json\n([\s\S]*?)```/g)].map((match) => match[1] ?? '');
  expect(shown).toHaveLength(2);
  for (const json of shown) expect(() => readCrowd(JSON.parse(json))).not.toThrow();
});
