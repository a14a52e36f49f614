import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { exitCodes, strongestExitCode } from './exit-codes.ts';

test('of several codes earned at once the strongest wins: 1 > 23 > 21 > 20 > 30 > 22', () => {
  const order = [1, 23, 21, 20, 30, 22] as const;
  order.forEach((code, position) => {
    expect(strongestExitCode([0, ...order.slice(position)].reverse() as never)).toBe(code);
  });
});

test('nothing earned is 0, and a code outside the order still counts', () => {
  expect(strongestExitCode([])).toBe(0);
  expect(strongestExitCode([0, 31])).toBe(31);
  expect(strongestExitCode([130])).toBe(130);
});

test('docs/exit-codes.md lists every code', () => {
  const page = readFileSync(new URL('../../docs/exit-codes.md', import.meta.url), 'utf8');
  for (const code of Object.values(exitCodes)) expect(page).toMatch(new RegExp(`^\\| ${code} \\|`, 'm'));
});
