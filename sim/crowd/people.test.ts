import { expect, test } from 'vitest';
import { asciiOnly, makePeople } from './people.ts';

const people = makePeople(42, 500);

test('the same seed gives the same people, another seed others', () => {
  expect(makePeople(42, 500)).toEqual(people);
  expect(makePeople(43, 500)).not.toEqual(people);
});

test('a larger pool starts with the people of a smaller one', () => {
  expect(makePeople(42, 20)).toEqual(people.slice(0, 20));
});

test('every text can stand in JSON and in a header as it is', () => {
  for (const person of people) {
    for (const text of Object.values(person)) expect(text).toMatch(/^[\x20\x21\x23-\x5b\x5d-\x7e]+$/);
  }
});

test('accents, quotes, backslashes and line ends are taken out of a text', () => {
  expect(asciiOnly('S\u00e3o "Jos\u00e9"\\\n\u6771')).toBe('Sao Jose');
});

test('people and their pool can’t be changed', () => {
  expect(Object.isFrozen(people) && people.every((person) => Object.isFrozen(person))).toBe(true);
});

test('user agents are whole, and say the system and the browser that the profile says', () => {
  const systems = {
    Windows: 'Windows NT',
    macOS: 'Macintosh',
    Linux: 'X11; Linux',
    Android: 'Android',
    iOS: 'iPhone',
  };
  const browsers = { Chrome: 'Chrome/', Edge: 'Edg/', Firefox: 'Firefox/', Safari: 'Version/' };
  for (const { userAgent, os, browser, device } of people) {
    expect(userAgent).toMatch(/^Mozilla\/5\.0 \([^{}]+\) [^{}]+\/[\d.]+$/);
    expect(userAgent).toContain(systems[os as keyof typeof systems]);
    expect(userAgent).toContain(browsers[browser as keyof typeof browsers]);
    expect(/Mobile/.test(userAgent)).toBe(device === 'mobile');
  }
});

test('browsers and countries come near their weights, and there are many different people', () => {
  const share = (wanted: (person: (typeof people)[number]) => boolean): number =>
    people.filter(wanted).length / people.length;
  // Binomial of 500: deviation at most 0.0224, five of them 0.112.
  expect(Math.abs(share((person) => person.device === 'mobile') - 0.49)).toBeLessThan(0.112);
  expect(Math.abs(share((person) => person.countryCode === 'US') - 0.26)).toBeLessThan(0.099);
  expect(new Set(people.map((person) => JSON.stringify(person))).size).toBe(500);
});

test('time zones are ones that the machine knows', () => {
  for (const timeZone of new Set(people.map((person) => person.timeZone))) {
    expect(() => new Intl.DateTimeFormat('en', { timeZone })).not.toThrow();
  }
});
