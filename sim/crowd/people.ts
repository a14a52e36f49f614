/**
 * A pool of people, made once before a run. The only file that imports faker, and only its English
 * locale: loading it takes tens of milliseconds and megabytes, so the main process makes the pool and
 * hands it to the workers as plain data.
 *
 * Browsers and places come from our own tables: faker's user agents include bots and browsers of 2001,
 * and its cities, countries and time zones don't belong together.
 */
import { faker } from '@faker-js/faker/locale/en';
import { deriveSeed } from '../random/random-stream.ts';
import { deviceKinds } from './devices.ts';
import { places } from './places.ts';
import type { Profile } from './profile.ts';

/** `count` frozen profiles. The same seed gives the same people, and the first ones don't depend on `count`. */
export function makePeople(seed: number, count = 500): readonly Profile[] {
  faker.seed([...deriveSeed(seed, 0)].map((word) => word >>> 0));
  return Object.freeze(Array.from({ length: count }, makeProfile));
}

function makeProfile(): Profile {
  const device = pickWeighted(deviceKinds);
  const place = pickWeighted(places);
  const version = faker.helpers.arrayElement(device.versions);
  return Object.freeze({
    name: asciiOnly(faker.person.firstName()),
    userAgent: device.userAgent.replaceAll('{v}', version).replaceAll('{v_}', version.replaceAll('.', '_')),
    device: device.device,
    browser: device.browser,
    os: device.os,
    screen: faker.helpers.arrayElement(device.screens),
    language: faker.helpers.arrayElement(place.languages),
    timeZone: faker.helpers.arrayElement(place.timeZones),
    city: asciiOnly(faker.location.city()),
    country: place.country,
    countryCode: place.countryCode,
  });
}

function pickWeighted<Item extends { readonly weight: number }>(items: readonly Item[]): Item {
  return faker.helpers.weightedArrayElement(items.map((value) => ({ weight: value.weight, value })));
}

/** Letters lose their accents; what is then no printable ASCII, or a quote or backslash, is dropped. */
export function asciiOnly(text: string): string {
  return text.normalize('NFKD').replaceAll(/[^\x20-\x7e]|["\\]/g, '');
}
