/** Readers of the larger members of a crowd's config; crowd-config.ts describes what they give. */
import type { BotKind, Experiment } from './crowd-config.ts';
import { places } from './places.ts';
import { readWeight, type Site } from './site.ts';
import { readList, readMap, readNumber, readObject, readText, refuse } from './site-fields.ts';

const namePattern = /^[\x21\x23-\x5b\x5d-\x7e]{1,64}$/;
const nameRule = '1 to 64 printable ASCII characters without spaces, quotes and backslashes';

export function readExperiments(path: string, input: unknown, site: Site): Experiment[] {
  if (input === undefined) return [];
  const experiments = readList(path, input).map((item, at) => readExperiment(`${path}[${at}]`, item, site));
  experiments.forEach(({ id }, at) => {
    if (experiments.findIndex((other) => other.id === id) < at)
      refuse(`${path}[${at}].id`, 'needs an id that no other experiment has', id);
  });
  return experiments;
}

function readExperiment(path: string, input: unknown, site: Site): Experiment {
  const fields = readObject(path, input, ['id', 'variants', 'pages', 'goal', 'lift']);
  const variants = readMap(`${path}.variants`, fields['variants'], readWeight);
  for (const name of Object.keys(variants)) readText(`${path}.variants`, name, namePattern, nameRule);
  const pages = readList(`${path}.pages`, fields['pages']).map((page, at) => {
    if (typeof page !== 'string' || !Object.hasOwn(site.pages, page))
      refuse(`${path}.pages[${at}]`, 'needs the name of a page', page);
    return page;
  });
  const lift = fields['lift'] === undefined ? {} : readMap(`${path}.lift`, fields['lift'], readLift);
  for (const name of Object.keys(lift)) {
    if (!Object.hasOwn(variants, name)) refuse(`${path}.lift.${name}`, 'needs the name of a variant', name);
  }
  const goal = readGoal(`${path}.goal`, fields['goal'], site);
  const id = readText(`${path}.id`, fields['id'], namePattern, nameRule);
  return { id, variants, pages, goal, lift };
}

const readLift = (path: string, input: unknown): number => readNumber(path, input, 0, 100);

function readGoal(path: string, input: unknown, site: Site): string | undefined {
  if (input === undefined) return undefined;
  const events = Object.values(site.pages).flatMap((page) => (page.deeds ?? []).map((deed) => deed.event));
  if (typeof input !== 'string' || !events.includes(input))
    refuse(path, 'needs the event of a deed on some page', input);
  return input;
}

export function readBots(path: string, input: unknown): { share: number; kinds: BotKind[] } {
  if (input === undefined) return { share: 0, kinds: [] };
  const fields = readObject(path, input, ['share', 'kinds']);
  const share = readNumber(`${path}.share`, fields['share'], 0, 1);
  if (share === 0 && fields['kinds'] === undefined) return { share, kinds: [] };
  const kinds = readList(`${path}.kinds`, fields['kinds']).map((kind, at) =>
    readBot(`${path}.kinds[${at}]`, kind),
  );
  return { share, kinds };
}

function readBot(path: string, input: unknown): BotKind {
  const fields = readObject(path, input, ['name', 'weight', 'userAgent', 'pages', 'pace', 'heartbeats']);
  const pace = readObject(`${path}.pace`, fields['pace'], ['medianMs', 'sigma']);
  const heartbeats = fields['heartbeats'] ?? false;
  if (typeof heartbeats !== 'boolean') refuse(`${path}.heartbeats`, 'needs true or false', heartbeats);
  return {
    name: readText(`${path}.name`, fields['name'], namePattern, nameRule),
    weight: readWeight(`${path}.weight`, fields['weight']),
    userAgent: readText(
      `${path}.userAgent`,
      fields['userAgent'],
      /^[\x20\x21\x23-\x5b\x5d-\x7e]{1,400}$/,
      '1 to 400 printable ASCII characters without quotes and backslashes',
    ),
    pages: readNumber(`${path}.pages`, fields['pages'], 1, 100_000),
    pace: {
      medianMs: readNumber(`${path}.pace.medianMs`, pace['medianMs'], 1, 3_600_000),
      sigma: readNumber(`${path}.pace.sigma`, pace['sigma'], 0, 3),
    },
    heartbeats,
  };
}

export function readPlaces(path: string, input: unknown): Readonly<Record<string, number>> | undefined {
  if (input === undefined) return undefined;
  const known = places.map((place) => place.countryCode);
  return readMap(path, readObject(path, input, known), readWeight);
}
