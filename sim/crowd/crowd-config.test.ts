import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { CrowdbeatError } from '../../server/base/errors.ts';
import { isPlain } from './crowd-config.ts';
import { places } from './places.ts';
import { presetCrowd, presets, readCrowd } from './presets/index.ts';
import { shop } from './shop.ts';

const schemaUrl = new URL('../../docs/crowd.schema.json', import.meta.url);
const schema = JSON.parse(readFileSync(schemaUrl, 'utf8')) as Record<string, unknown>;
const isValid = new Ajv2020({ strict: false }).compile(schema);

const reading = { medianMs: 9000, sigma: 0.9 };
const home = { path: '/', title: 'Home', reading, next: { exit: 1 } };

/** The smallest crowd, as somebody would write it. */
const written = (): Record<string, unknown> => ({
  name: 'tiny',
  origin: 'https://tiny.example',
  entry: { home: 1 },
  pages: { home },
  sources: [{ weight: 1 }],
});

const withDeed = (deed: unknown): Record<string, unknown> => ({
  ...written(),
  pages: { home: { ...home, deeds: [deed] } },
});

function refusal(input: unknown): string {
  try {
    readCrowd(input);
  } catch (error) {
    expect(error).toBeInstanceOf(CrowdbeatError);
    expect((error as CrowdbeatError).code).toBe('CB_OPTION');
    return (error as CrowdbeatError).message;
  }
  return 'nothing was refused';
}

test.each(Object.keys(presets))(
  'the preset %s keeps the rules, as JSON too, and the schema agrees',
  (name) => {
    const config = JSON.parse(JSON.stringify(presets[name])) as unknown;
    expect(readCrowd(config)).toEqual(presetCrowd(name));
    expect(isValid(config), JSON.stringify(isValid.errors)).toBe(true);
  },
);

test('the shop that runs without an option is the one of always, and needs no rich visitors', () => {
  expect(presetCrowd('shop').site).toEqual(shop);
  expect(isPlain(presetCrowd('shop'))).toBe(true);
  for (const name of ['boutique', 'news', 'app']) expect(isPlain(presetCrowd(name))).toBe(false);
});

test('members of a config stand in the place of its preset’s', () => {
  const config = readCrowd({ preset: 'news', tabs: { share: 0.5 }, devices: { tablet: 1 } });
  expect(config.tabs).toEqual({ share: 0.5, max: 3 });
  expect(config.devices).toEqual({ tablet: 1 });
  expect(config.site.pages).toEqual(presetCrowd('news').site.pages);
});

test('the schema knows the places that the simulator knows', () => {
  const known = (schema['properties'] as { places: { properties: object } }).places.properties;
  expect(Object.keys(known).sort()).toEqual(places.map((place) => place.countryCode).sort());
});

describe('what breaks a rule is refused by the reader, and by the schema where it can say it', () => {
  test.each<[string, Record<string, unknown>, string]>([
    ['an unknown member', { ...written(), colour: 'red' }, 'crowd.colour: is unknown here'],
    [
      'an unknown preset',
      { preset: 'zoo' },
      'crowd.preset: needs one of shop, boutique, news, app, got "zoo"',
    ],
    [
      'weights of nothing',
      { ...written(), entry: { home: 0 } },
      'crowd.entry.home: needs a number above 0, got 0',
    ],
    ['no weights', { ...written(), entry: {} }, 'crowd.entry: needs at least one member, got {}'],
    [
      'a negative share',
      { ...written(), returning: { share: -0.1 } },
      'crowd.returning.share: needs a number from 0 to 1, got -0.1',
    ],
    [
      'too many persons to return',
      { ...written(), returning: { share: 0.1, recency: [1, 1, 1, 1, 1] } },
      'crowd.returning.recency: needs at most 4 weights',
    ],
    [
      'a shape that has no mean worth the name',
      { ...written(), pages: { home: { ...home, reading: { scaleMs: 5, shape: 0 } } } },
      'crowd.pages.home.reading.shape: needs a number from 0.2 to 20, got 0',
    ],
    [
      'two kinds of reading times at once',
      { ...written(), pages: { home: { ...home, reading: { ...reading, shape: 1 } } } },
      'is unknown here',
    ],
    [
      'a deed that every visit does',
      withDeed({ event: 'view', share: 1 }),
      'crowd.pages.home.deeds[0].event: needs an event that a visit does not send by itself, got "view"',
    ],
    [
      'an order without a price',
      withDeed({ event: 'order', share: 1 }),
      'crowd.pages.home.deeds[0].order: needs an object, got undefined',
    ],
    [
      'a price of a click',
      withDeed({ event: 'click', share: 1, order: { currency: 'EUR', medianRevenue: 1, sigma: 0 } }),
      'crowd.pages.home.deeds[0].order: belongs to the event order',
    ],
    [
      'an interest without a name',
      withDeed({ event: 'interest', share: 1 }),
      'crowd.pages.home.deeds[0].interest: needs an object with a name',
    ],
    [
      'no tab at all',
      { ...written(), tabs: { share: 0.1, max: 0 } },
      'crowd.tabs.max: needs a number from 1 to 16, got 0',
    ],
    [
      'half a tab',
      { ...written(), tabs: { share: 0.1, max: 1.5 } },
      'crowd.tabs.max: needs a whole number, got 1.5',
    ],
    ['a place that nobody knows', { ...written(), places: { XX: 1 } }, 'crowd.places.XX: is unknown here'],
    [
      'a device that nobody has',
      { ...written(), devices: { watch: 1 } },
      'crowd.devices.watch: is unknown here',
    ],
    [
      'bots of no kind',
      { ...written(), bots: { share: 0.1, kinds: [] } },
      'crowd.bots.kinds: needs a list of at least one, got []',
    ],
    [
      'a clock beyond the time limits',
      { ...written(), network: { clockSkew: { share: 0.1, offsetsMs: [299_000] } } },
      'crowd.network.clockSkew.offsetsMs[0]: needs a number from -21600000 to 240000, got 299000',
    ],
    [
      'an unknown kind of bad luck',
      { ...written(), network: { fire: 1 } },
      'crowd.network.fire: is unknown here',
    ],
    [
      'a session of no length',
      { ...written(), session: { maxMs: 0 } },
      'crowd.session.maxMs: needs a number from 1000 to 86400000, got 0',
    ],
  ])('%s', (_what, config, message) => {
    expect(refusal(config)).toContain(message);
    expect(isValid(config)).toBe(false);
  });

  test.each<[string, Record<string, unknown>, string]>([
    [
      'a page graph without an exit',
      { ...written(), pages: { home: { ...home, next: { home: 1 } } } },
      'crowd.pages.home.next: needs a way to exit, over other pages or at once',
    ],
    [
      'a way to nowhere',
      { ...written(), pages: { home: { ...home, next: { cart: 1 } } } },
      'crowd.pages.home.next.cart: needs the name of a page or exit',
    ],
    [
      'an experiment on no page',
      { ...written(), experiments: [{ id: 'x', variants: { A: 1 }, pages: ['cart'] }] },
      'crowd.experiments[0].pages[0]: needs the name of a page, got "cart"',
    ],
    [
      'a goal that nobody can reach',
      { ...written(), experiments: [{ id: 'x', variants: { A: 1 }, pages: ['home'], goal: 'order' }] },
      'crowd.experiments[0].goal: needs the event of a deed on some page, got "order"',
    ],
    [
      'a lift of a variant that there is not',
      { ...written(), experiments: [{ id: 'x', variants: { A: 1 }, pages: ['home'], lift: { B: 2 } }] },
      'crowd.experiments[0].lift.B: needs the name of a variant',
    ],
    [
      'NaN',
      { ...written(), returning: { share: Number.NaN } },
      'crowd.returning.share: needs a number from 0 to 1, got NaN',
    ],
  ])('%s, which no schema can tell', (_what, config, message) => {
    expect(refusal(config)).toContain(message);
  });
});
