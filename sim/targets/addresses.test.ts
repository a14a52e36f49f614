import { isIPv4 } from 'node:net';
import { expect, test } from 'vitest';
import { makePeople } from '../crowd/people.ts';
import { places } from '../crowd/places.ts';
import type { Profile } from '../crowd/profile.ts';
import { addressOf } from './addresses.ts';

const person = (number: number, countryCode: string) => ({
  number,
  profile: { ...(makePeople(1, 1)[0] as Profile), countryCode },
});

test('every country that people live in has addresses of its own', () => {
  const nowhere = addressOf(1, person(0, '??'));
  expect(nowhere).toMatch(/^203\.0\.113\.\d+$/);
  const owners = new Map<string, string>();
  for (const { countryCode } of places) {
    for (let slot = 0; slot < 200; slot++) {
      const address = addressOf(slot, person(0, countryCode));
      expect(isIPv4(address), address).toBe(true);
      const block = address.split('.').slice(0, 2).join('.');
      expect(block).not.toBe('203.0');
      expect(owners.get(block) ?? countryCode).toBe(countryCode);
      owners.set(block, countryCode);
    }
  }
});

test('somebody who returns has the same address, somebody else another one', () => {
  expect(addressOf(7, person(3, 'DE'))).toBe(addressOf(7, person(3, 'DE')));
  const crowd = Array.from({ length: 2000 }, (_none, slot) => addressOf(slot, person(0, 'DE')));
  // 645,160 addresses: among 2,000 people three pairs meet by chance, and 20 hardly ever.
  expect(new Set(crowd).size).toBeGreaterThan(1980);
  const visitors = Array.from({ length: 50 }, (_none, number) => addressOf(7, person(number, 'DE')));
  expect(new Set(visitors).size).toBeGreaterThan(45);
});
