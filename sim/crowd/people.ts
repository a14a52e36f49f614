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
import type { BotKind } from './crowd-config.ts';
import { type DeviceKind, deviceKinds } from './devices.ts';
import { type Place, places } from './places.ts';
import type { Profile } from './profile.ts';

/** What a crowd's config says of its people; undefined: as in devices.ts and places.ts. */
export interface PeopleShares {
  /** Weights by device, shared among its kinds as in devices.ts. */
  readonly devices?: Readonly<Record<string, number>> | undefined;
  /** Weights by country code. */
  readonly places?: Readonly<Record<string, number>> | undefined;
}

/** `count` frozen profiles. The same seed gives the same people, and the first ones don't depend on `count`. */
export function makePeople(seed: number, count = 500, shares: PeopleShares = {}): readonly Profile[] {
  faker.seed([...deriveSeed(seed, 0)].map((word) => word >>> 0));
  const devices = reweighed(deviceKinds, (kind) => kind.device, shares.devices);
  const homes = reweighed(places, (place) => place.countryCode, shares.places);
  return Object.freeze(Array.from({ length: count }, () => makeProfile(devices, homes)));
}

/** A bot says of itself what its kind says; the rest is that of a machine in a data centre. */
export function makeBots(kinds: readonly BotKind[]): readonly Profile[] {
  return kinds.map(({ name, userAgent }) =>
    Object.freeze({
      name,
      userAgent,
      device: 'desktop' as const,
      browser: name,
      os: 'Linux',
      screen: '1280x800',
      language: 'en-US',
      timeZone: 'America/New_York',
      city: 'Ashburn',
      country: 'United States',
      countryCode: 'US',
    }),
  );
}

/** Gives each group of items the weight that it should have together. Groups that have none are left out. */
function reweighed<Item extends { readonly weight: number }>(
  items: readonly Item[],
  groupOf: (item: Item) => string,
  weights: Readonly<Record<string, number>> | undefined,
): readonly Item[] {
  if (weights === undefined) return items;
  const total = (group: string): number =>
    items.filter((item) => groupOf(item) === group).reduce((sum, item) => sum + item.weight, 0);
  return items
    .filter((item) => Object.hasOwn(weights, groupOf(item)))
    .map((item) => ({
      ...item,
      weight: (item.weight * (weights[groupOf(item)] ?? 0)) / total(groupOf(item)),
    }));
}

function makeProfile(devices: readonly DeviceKind[], homes: readonly Place[]): Profile {
  const device = pickWeighted(devices);
  const place = pickWeighted(homes);
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
