import { describe, expect, it } from 'vitest';
import { isPrivate, readAddress } from './address.ts';

describe('readAddress', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['  192.0.2.7 ', '192.0.2.7'],
    ['192.0.2.7:4711', '192.0.2.7'],
    ['2001:db8::7', '2001:db8::7'],
    ['[2001:db8::7]', '2001:db8::7'],
    ['[2001:db8::7]:4711', '2001:db8::7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['[::FFFF:192.0.2.7]:80', '192.0.2.7'],
  ])('reads %j as %s', (item, address) => {
    expect(readAddress(item)).toBe(address);
  });

  it.each([
    '',
    'unknown',
    '_hidden',
    '192.0.2',
    '192.0.2.256',
    '192.0.2.7:',
    '192.0.2.7:123456',
    '[192.0.2.7]:80',
    '2001:db8::7]:80',
    '[2001:db8::7',
    'fe80::1%eth0',
    '[fe80::1%eth0]:80',
    '192.0.2.7"},{"',
    '1'.repeat(10_000),
  ])('finds no address in %.40j', (item) => {
    expect(readAddress(item)).toBeUndefined();
  });
});

describe('isPrivate', () => {
  it.each(['127.0.0.1', '10.1.2.3', '172.31.0.1', '192.168.1.1', '100.64.0.1', '169.254.1.1', '0.0.0.0'])(
    'is true of %s',
    (address) => expect(isPrivate(address)).toBe(true),
  );

  it.each(['::1', '::', 'fe80::1', 'fd00::1', 'unknown', ''])('is true of %j', (address) => {
    expect(isPrivate(address)).toBe(true);
  });

  it.each(['8.8.8.8', '172.32.0.1', '100.128.0.1', '2001:4860::1', '11.0.0.1'])(
    'is false of %s',
    (address) => {
      expect(isPrivate(address)).toBe(false);
    },
  );
});
