import { expect, test } from 'vitest';
import { CrowdbeatError } from '../../server/base/errors.ts';
import { shop } from './shop.ts';
import { parseSite, type Site } from './site.ts';
import { SiteMap } from './site-map.ts';

const reading = { medianMs: 9000, sigma: 0.9 };

/** The smallest site with a template, as somebody would write it. */
function written(): Record<string, unknown> {
  return {
    name: 'tiny',
    origin: 'https://tiny.example',
    entry: { home: 1 },
    pages: {
      home: { path: '/', title: 'Home', reading, next: { item: 3, exit: 1 } },
      item: { path: '/item/:n', title: 'Item :n', items: 3, reading, next: { item: 1, exit: 2 } },
    },
    sources: [{ weight: 3 }, { name: 'newsletter', campaign: 'spring', weight: 1 }],
    returningShare: 0.3,
  };
}

/** The written site with one member replaced; the path's parts are separated by dots. */
function changed(path: string, value: unknown): unknown {
  const site = written();
  const parts = path.split('.');
  let group = site;
  for (const part of parts.slice(0, -1)) group = group[part] as Record<string, unknown>;
  group[parts.at(-1) as string] = value;
  return site;
}

test('a site that keeps the rules is read, with defaults filled in', () => {
  const site = parseSite(written());
  expect(site.pages['home']).toMatchObject({ items: 1, zipfExponent: 1 });
  expect(site.pages['item']).toMatchObject({ items: 3, path: '/item/:n' });
  expect(site.sources).toEqual([{ weight: 3 }, { name: 'newsletter', campaign: 'spring', weight: 1 }]);
});

test('what was read can be written as JSON and read again', () => {
  expect(parseSite(JSON.parse(JSON.stringify(shop)))).toEqual(shop);
});

test.each<[string, unknown, string]>([
  ['name', '', 'site.name: needs a text of 1 to 128 characters, got ""'],
  [
    'origin',
    'tiny.example/',
    'site.origin: needs an origin such as https://shop.example, got "tiny.example/"',
  ],
  [
    'colour',
    'red',
    'site.colour: is unknown here (known: name, origin, entry, pages, sources, returningShare), got "red"',
  ],
  ['entry', {}, 'site.entry: needs at least one member, got {}'],
  ['entry.home', 0, 'site.entry.home: needs a number above 0, got 0'],
  ['entry.home', -1, 'site.entry.home: needs a number from 0 to 1000000000, got -1'],
  ['entry.shop', 1, 'site.entry.shop: needs the name of a page, got "shop"'],
  ['entry.exit', 1, 'site.entry.exit: needs the name of a page, got "exit"'],
  ['pages', [], 'site.pages: needs an object, got []'],
  ['pages.home.next.cart', 1, 'site.pages.home.next.cart: needs the name of a page or exit, got "cart"'],
  ['pages.home.next.exit', '1', 'site.pages.home.next.exit: needs a number from 0 to 1000000000, got "1"'],
  [
    'pages.item.next',
    { item: 1 },
    'site.pages.item.next: needs a way to exit, over other pages or at once, got {"item":1}',
  ],
  ['pages.item.path', '/item', 'site.pages.item.path: needs :n, because items is above 1, got "/item"'],
  ['pages.home.path', '/:n', 'site.pages.home.path: has :n, which needs items, got "/:n"'],
  [
    'pages.home.path',
    'home',
    'site.pages.home.path: needs a path such as /cart, up to 400 characters, got "home"',
  ],
  ['pages.item.items', 2.5, 'site.pages.item.items: needs a whole number, got 2.5'],
  ['pages.item.items', 0, 'site.pages.item.items: needs a number from 1 to 1000000, got 0'],
  [
    'pages.home.reading',
    { medianMs: 0, sigma: 1 },
    'site.pages.home.reading.medianMs: needs a number from 1 to 3600000, got 0',
  ],
  ['pages.home.reading', { medianMs: 5, sigma: 1, mean: 9 }, 'site.pages.home.reading.mean: is unknown here'],
  ['sources', [], 'site.sources: needs a list of at least one, got []'],
  [
    'sources',
    [{ campaign: 'spring', weight: 1 }],
    'site.sources[0].campaign: needs a name beside it, got "spring"',
  ],
  [
    'sources',
    [{ name: 'a', weight: null }],
    'site.sources[0].weight: needs a number from 0 to 1000000000, got null',
  ],
  ['returningShare', 1.1, 'site.returningShare: needs a number from 0 to 1, got 1.1'],
  ['returningShare', undefined, 'site.returningShare: needs a number from 0 to 1, got undefined'],
])('%s = %j is refused: %s', (path, value, message) => {
  let thrown: unknown;
  try {
    parseSite(changed(path, value));
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(CrowdbeatError);
  expect((thrown as CrowdbeatError).code).toBe('CB_OPTION');
  expect((thrown as CrowdbeatError).message).toContain(message);
});

test('two pages that only lead to each other are refused as well', () => {
  const site = written();
  (site['pages'] as Record<string, unknown>)['trap'] = { path: '/a', title: 'A', reading, next: { door: 1 } };
  (site['pages'] as Record<string, unknown>)['door'] = { path: '/b', title: 'B', reading, next: { trap: 1 } };
  expect(() => parseSite(site)).toThrow('site.pages.trap.next: needs a way to exit');
});

test.each(['exit', 'constructor', 'a b', ''])('a page named %j is refused', (name) => {
  const site = written();
  (site['pages'] as Record<string, unknown>)[name] = { path: '/a', title: 'A', reading, next: { home: 1 } };
  expect(() => parseSite(site)).toThrow(
    'site.pages: needs names of letters, digits, - and _, none of them exit or',
  );
});

test('no site is refused', () => {
  expect(() => parseSite(null)).toThrow('site: needs an object, got null');
});

test('the map holds one page for each item of a kind, in order of popularity', () => {
  const map = new SiteMap(parseSite(written()) satisfies Site);
  expect(map.pages).toEqual([
    { path: '/', title: 'Home', url: 'https://tiny.example/', kind: 'home' },
    { path: '/item/1', title: 'Item 1', url: 'https://tiny.example/item/1', kind: 'item' },
    { path: '/item/2', title: 'Item 2', url: 'https://tiny.example/item/2', kind: 'item' },
    { path: '/item/3', title: 'Item 3', url: 'https://tiny.example/item/3', kind: 'item' },
  ]);
});
