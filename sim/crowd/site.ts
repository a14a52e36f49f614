/**
 * A website as data: which pages there are, where people come in, where they go next, how long they
 * read, and what brought them. It may be written as JSON; `parseSite` is the door.
 *
 * The page graph is a Markov chain of page kinds with an exit (Menasce's Customer Behavior Model Graph;
 * Singer et al., PLOS ONE 2014, find such a memoryless model fair for page-level paths). A kind may stand
 * for many pages, `/product/:n`, whose popularity follows Zipf's law (Huberman et al., Science 1998).
 * Reading times are log-normal, or Weibull as Liu, White and Dumais found them (SIGIR 2010).
 *
 *   {"name": "tiny", "origin": "https://tiny.example",
 *    "entry": {"home": 1},
 *    "pages": {"home": {"path": "/", "title": "Home", "reading": {"medianMs": 9000, "sigma": 0.9},
 *                       "next": {"item": 3, "exit": 1}},
 *              "item": {"path": "/item/:n", "title": "Item :n", "items": 50, "zipfExponent": 0.9,
 *                       "reading": {"medianMs": 12000, "sigma": 0.8}, "next": {"item": 1, "exit": 2}}},
 *    "sources": [{"weight": 3}, {"name": "newsletter", "campaign": "spring", "weight": 1}],
 *    "returningShare": 0.3}
 */
import { type Deed, readDeeds } from './deeds.ts';
import { readList, readMap, readNumber, readObject, readText, refuse } from './site-fields.ts';

/** In `next`: leaves the site. No page kind may have this name. */
export const exit = 'exit';

/**
 * Reading time of a page: log-normal by its median and the deviation sigma of its logarithm, or Weibull by scale
 * and shape (below 1: whoever has read for long reads on).
 */
export type ReadingTime =
  | { readonly medianMs: number; readonly sigma: number }
  | { readonly scaleMs: number; readonly shape: number };

export interface PageKind {
  /** Path with a leading slash. With several items it holds `:n`, which becomes the item's rank, from 1. */
  readonly path: string;
  readonly title: string;
  /** How many pages this kind stands for; 1 unless given. */
  readonly items: number;
  /** Popularity of item r is proportional to r^-zipfExponent; 1 unless given. */
  readonly zipfExponent: number;
  readonly reading: ReadingTime;
  /** Weights (above 0) of what follows this page: names of page kinds, and `exit`. */
  readonly next: Readonly<Record<string, number>>;
  /** What visitors do on the page; absent if nothing. */
  readonly deeds?: readonly Deed[];
}

/** What brought a visit here. Without a name: typed in or bookmarked. */
export interface TrafficSource {
  readonly name?: string;
  readonly campaign?: string;
  readonly weight: number;
}

export interface Site {
  readonly name: string;
  /** `https://shop.example`, without a slash at its end. */
  readonly origin: string;
  /** Weights (above 0) of the page kinds on which visits begin. */
  readonly entry: Readonly<Record<string, number>>;
  readonly pages: Readonly<Record<string, PageKind>>;
  readonly sources: readonly TrafficSource[];
  /** Share of visits, from 0 to 1, made by somebody who was here before. */
  readonly returningShare: number;
}

/**
 * Proves that `input` is a site. Defaults are filled in; unknown members are refused.
 * @throws CrowdbeatError CB_OPTION, naming the member, the rule and the value
 */
export function parseSite(input: unknown): Site {
  const fields = readObject('site', input, ['name', 'origin', 'entry', 'pages', 'sources', 'returningShare']);
  return readSite('site', fields);
}

/** The members of a site that are the same in a crowd's config, in which they stand under another path. */
export const siteMembers = ['name', 'origin', 'entry', 'pages', 'sources'] as const;

/** @param root where the members stand, for messages */
export function readSite(root: string, fields: Readonly<Record<string, unknown>>): Site {
  const pages = readMap(`${root}.pages`, fields['pages'], readPageKind);
  for (const name of Object.keys(pages)) checkPageName(root, name);
  const site: Site = {
    name: readText(`${root}.name`, fields['name'], /^.{1,128}$/, 'a text of 1 to 128 characters'),
    origin: readText(
      `${root}.origin`,
      fields['origin'],
      /^https?:\/\/[^/\s]+$/,
      'an origin such as https://shop.example',
    ),
    entry: readMap(`${root}.entry`, fields['entry'], readWeight),
    pages,
    sources: readSources(`${root}.sources`, fields['sources']),
    returningShare: readNumber(`${root}.returningShare`, fields['returningShare'], 0, 1),
  };
  checkNames(`${root}.entry`, site.entry, pages, false);
  for (const [name, page] of Object.entries(pages))
    checkNames(`${root}.pages.${name}.next`, page.next, pages, true);
  checkExits(root, pages);
  return site;
}

/** Names are looked up in plain objects, where `constructor` would find something even if nobody wrote it. */
function checkPageName(root: string, name: string): void {
  const usable = /^[\w-]{1,64}$/.test(name) && name !== exit && !(name in Object.prototype);
  if (!usable)
    refuse(`${root}.pages`, 'needs names of letters, digits, - and _, none of them exit or built in', name);
}

function readPageKind(path: string, input: unknown): PageKind {
  const fields = readObject(path, input, [
    'path',
    'title',
    'items',
    'zipfExponent',
    'reading',
    'next',
    'deeds',
  ]);
  const items = readNumber(`${path}.items`, fields['items'] ?? 1, 1, 1_000_000);
  if (!Number.isInteger(items)) refuse(`${path}.items`, 'needs a whole number', items);
  const urlPath = readText(
    `${path}.path`,
    fields['path'],
    /^\/\S{0,400}$/,
    'a path such as /cart, up to 400 characters',
  );
  if (items > 1 !== urlPath.includes(':n')) {
    refuse(
      `${path}.path`,
      items > 1 ? 'needs :n, because items is above 1' : 'has :n, which needs items',
      urlPath,
    );
  }
  return {
    path: urlPath,
    title: readText(`${path}.title`, fields['title'], /^.{1,128}$/, 'a text of 1 to 128 characters'),
    items,
    zipfExponent: readNumber(`${path}.zipfExponent`, fields['zipfExponent'] ?? 1, 0, 5),
    reading: readReading(`${path}.reading`, fields['reading']),
    next: readMap(`${path}.next`, fields['next'], readWeight),
    ...(fields['deeds'] === undefined ? {} : { deeds: readDeeds(`${path}.deeds`, fields['deeds']) }),
  };
}

export function readReading(path: string, input: unknown): ReadingTime {
  const isWeibull = typeof input === 'object' && input !== null && 'shape' in input;
  const fields = readObject(path, input, isWeibull ? ['scaleMs', 'shape'] : ['medianMs', 'sigma']);
  const number = (name: string, min: number, max: number): number =>
    readNumber(`${path}.${name}`, fields[name], min, max);
  // A shape below 0.2 has a mean of more than a hundred scales.
  if (isWeibull) return { scaleMs: number('scaleMs', 1, 3_600_000), shape: number('shape', 0.2, 20) };
  return { medianMs: number('medianMs', 1, 3_600_000), sigma: number('sigma', 0, 3) };
}

export function readSources(listPath: string, input: unknown): TrafficSource[] {
  return readList(listPath, input).map((item: unknown, index) => {
    const path = `${listPath}[${index}]`;
    const fields = readObject(path, item, ['name', 'campaign', 'weight']);
    const name = readName(`${path}.name`, fields['name']);
    const campaign = readName(`${path}.campaign`, fields['campaign']);
    if (campaign !== undefined && name === undefined)
      refuse(`${path}.campaign`, 'needs a name beside it', campaign);
    const weight = readWeight(`${path}.weight`, fields['weight']);
    return { ...(name !== undefined && { name }), ...(campaign !== undefined && { campaign }), weight };
  });
}

function readName(path: string, input: unknown): string | undefined {
  return input === undefined
    ? undefined
    : readText(path, input, /^.{1,128}$/, 'a text of 1 to 128 characters');
}

export function readWeight(path: string, input: unknown): number {
  const weight = readNumber(path, input, 0, 1e9);
  if (weight === 0) refuse(path, 'needs a number above 0', weight);
  return weight;
}

function checkNames(path: string, weights: object, pages: object, exitAllowed: boolean): void {
  for (const name of Object.keys(weights)) {
    if (Object.hasOwn(pages, name) || (exitAllowed && name === exit)) continue;
    refuse(`${path}.${name}`, `needs the name of a page${exitAllowed ? ' or exit' : ''}`, name);
  }
}

/** From every page the exit must be reachable, or visitors would never leave. Grows the set of pages that do. */
function checkExits(root: string, pages: Readonly<Record<string, PageKind>>): void {
  const leaving = new Set([exit]);
  let before: number;
  do {
    before = leaving.size;
    for (const [name, page] of Object.entries(pages)) {
      if (Object.keys(page.next).some((next) => leaving.has(next))) leaving.add(name);
    }
  } while (leaving.size > before);
  for (const [name, page] of Object.entries(pages)) {
    if (!leaving.has(name))
      refuse(`${root}.pages.${name}.next`, 'needs a way to exit, over other pages or at once', page.next);
  }
}
