import { expect, test } from 'vitest';
import { keySchedule4, threefry2x32, threefry4x32 } from './threefry.ts';

const hex = (words: Int32Array): string =>
  [...words].map((word) => (word >>> 0).toString(16).padStart(8, '0')).join(' ');

// Counter, key and answer of 20 rounds, from the kat_vectors file of Random123 (Salmon et al., SC'11).
const answers2: [number[], number[], string][] = [
  [[0, 0], [0, 0], '6b200159 99ba4efe'],
  [[0xffffffff, 0xffffffff], [0xffffffff, 0xffffffff], '1cb996fc bb002be7'],
  [[0x243f6a88, 0x85a308d3], [0x13198a2e, 0x03707344], 'c4923a9c 483df7a0'],
];

const answers4: [number[], number[], string][] = [
  [[0, 0, 0, 0], [0, 0, 0, 0], '9c6ca96a e17eae66 fc10ecd4 5256a7d8'],
  [
    [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
    [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
    '2a881696 57012287 f6c7446e a16a6732',
  ],
  [
    [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
    [0xa4093822, 0x299f31d0, 0x082efa98, 0xec4e6c89],
    '59cd1dbb b8879579 86b5d00c ac8b6d84',
  ],
];

test.each(answers2)('Threefry-2x32 of counter %j under key %j is %s', (counter, key, answer) => {
  const out = new Int32Array(2);
  threefry2x32(Int32Array.from(key), counter[0] as number, counter[1] as number, out);
  expect(hex(out)).toBe(answer);
});

test('Threefry-2x32 may write its answer over its key', () => {
  const both = Int32Array.of(0x13198a2e, 0x03707344);
  threefry2x32(both, 0x243f6a88, 0x85a308d3, both);
  expect(hex(both)).toBe('c4923a9c 483df7a0');
});

test.each(answers4)('Threefry-4x32 of counter %j under key %j is %s', (counter, key, answer) => {
  const [c0, c1, c2, c3] = counter as [number, number, number, number];
  const out = new Int32Array(4);
  threefry4x32(keySchedule4(...(key as [number, number, number, number])), c0, c1, c2, c3, out);
  expect(hex(out)).toBe(answer);
});
