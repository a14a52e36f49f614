/**
 * `crowd.json`: who comes to a site and what they do there. docs/crowd.md describes every member,
 * docs/crowd.schema.json is its JSON schema; a test holds schema and rules together.
 *
 * A config may begin with `"preset": "news"`; its members then replace the preset's, each as a whole.
 */
import { readBots, readExperiments, readPlaces } from './config-members.ts';
import { type NetworkLife, quietNetwork, readNetworkLife } from './network-life.ts';
import { readSite, readSources, readWeight, type Site, siteMembers, type TrafficSource } from './site.ts';
import { readList, readMap, readNumber, readObject, refuse } from './site-fields.ts';
import { recentPersons, sessionMsMax } from './visit-timing.ts';

/** Plain data: it may be sent to workers, and is stored with the results. */
export interface CrowdConfig {
  readonly site: Site;
  /** A visit ends after this, whatever is being read. */
  readonly sessionMsMax: number;
  /** How likely a returning visitor is the newest of its slot's persons, the one before, and so on. */
  readonly recency: readonly number[];
  /** What brings returning visitors; undefined: the same as everybody. */
  readonly returningSources: readonly TrafficSource[] | undefined;
  /** Share of people who have an account before the run. */
  readonly memberShare: number;
  readonly tabs: { readonly share: number; readonly max: number };
  readonly experiments: readonly Experiment[];
  readonly bots: { readonly share: number; readonly kinds: readonly BotKind[] };
  /** Weights by device; undefined: as in devices.ts. */
  readonly devices: Readonly<Record<string, number>> | undefined;
  /** Weights by ISO 3166-1 code; undefined: as in places.ts, and no addresses. */
  readonly places: Readonly<Record<string, number>> | undefined;
  readonly network: NetworkLife;
}

export interface Experiment {
  readonly id: string;
  /** Weights by variant. */
  readonly variants: Readonly<Record<string, number>>;
  /** Kinds of pages that show the variant. */
  readonly pages: readonly string[];
  /** The event that converts; undefined: nothing does. */
  readonly goal: string | undefined;
  /** By variant: the share of the goal's deed is multiplied by this. 1 if left out. */
  readonly lift: Readonly<Record<string, number>>;
}

export interface BotKind {
  readonly name: string;
  readonly weight: number;
  readonly userAgent: string;
  /** Mean of the geometric number of pages. */
  readonly pages: number;
  /** Log-normal time from page to page. */
  readonly pace: { readonly medianMs: number; readonly sigma: number };
  /** Whether it runs the page's script for long enough to send heartbeats. */
  readonly heartbeats: boolean;
}

const members = [
  '$schema',
  'preset',
  ...siteMembers,
  'session',
  'returning',
  'users',
  'tabs',
  'experiments',
  'bots',
  'devices',
  'places',
  'network',
] as const;

/**
 * Proves that `input` is a crowd's config. Defaults are filled in; unknown members are refused.
 * @param presets what `preset` may name
 * @param root how messages call the config
 * @throws CrowdbeatError CB_OPTION, naming the member, the rule and the value
 */
export function parseCrowdConfig(
  input: unknown,
  presets: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {},
  root = 'crowd',
): CrowdConfig {
  const own = readObject(root, input, members);
  const fields = { ...presetOf(root, own['preset'], presets), ...own };
  const session = readObject(`${root}.session`, fields['session'] ?? {}, ['maxMs']);
  const returning = readObject(`${root}.returning`, fields['returning'] ?? { share: 0 }, [
    'share',
    'recency',
    'sources',
  ]);
  const users = readObject(`${root}.users`, fields['users'] ?? {}, ['memberShare']);
  const site = readSite(root, {
    ...fields,
    returningShare: readNumber(`${root}.returning.share`, returning['share'], 0, 1),
  });
  return {
    site,
    sessionMsMax: readNumber(`${root}.session.maxMs`, session['maxMs'] ?? sessionMsMax, 1000, 86_400_000),
    recency: readRecency(`${root}.returning.recency`, returning['recency']),
    returningSources:
      returning['sources'] === undefined
        ? undefined
        : readSources(`${root}.returning.sources`, returning['sources']),
    memberShare: readNumber(`${root}.users.memberShare`, users['memberShare'] ?? 0, 0, 1),
    tabs: readTabs(`${root}.tabs`, fields['tabs']),
    experiments: readExperiments(`${root}.experiments`, fields['experiments'], site),
    bots: readBots(`${root}.bots`, fields['bots']),
    devices: readDevices(`${root}.devices`, fields['devices']),
    places: readPlaces(`${root}.places`, fields['places']),
    network:
      fields['network'] === undefined ? quietNetwork : readNetworkLife(`${root}.network`, fields['network']),
  };
}

function presetOf(
  root: string,
  name: unknown,
  presets: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
): Readonly<Record<string, unknown>> {
  if (name === undefined) return {};
  if (typeof name === 'string' && Object.hasOwn(presets, name)) return presets[name] ?? {};
  refuse(`${root}.preset`, `needs one of ${Object.keys(presets).join(', ')}`, name);
}

function readRecency(path: string, input: unknown): number[] {
  if (input === undefined) return new Array<number>(recentPersons).fill(1);
  const weights = readList(path, input).map((weight, at) => readNumber(`${path}[${at}]`, weight, 0, 1e9));
  if (weights.length > recentPersons) refuse(path, `needs at most ${recentPersons} weights`, input);
  if ((weights[0] ?? 0) === 0) refuse(`${path}[0]`, 'needs a number above 0', weights[0]);
  return weights;
}

function readTabs(path: string, input: unknown): CrowdConfig['tabs'] {
  const fields = readObject(path, input ?? {}, ['share', 'max']);
  const max = readNumber(`${path}.max`, fields['max'] ?? 3, 1, 16);
  if (!Number.isInteger(max)) refuse(`${path}.max`, 'needs a whole number', max);
  return { share: readNumber(`${path}.share`, fields['share'] ?? 0, 0, 1), max };
}

function readDevices(path: string, input: unknown): CrowdConfig['devices'] {
  if (input === undefined) return undefined;
  const fields = readObject(path, input, ['desktop', 'mobile', 'tablet']);
  return readMap(path, fields, readWeight);
}

/** True if the crowd only does what every crowd does, so that the simplest visitor will do. */
export function isPlain(config: CrowdConfig): boolean {
  return (
    config.sessionMsMax === sessionMsMax &&
    new Set(config.recency).size === 1 &&
    config.recency.length === recentPersons &&
    config.returningSources === undefined &&
    config.tabs.share === 0 &&
    config.experiments.length === 0 &&
    config.bots.share === 0 &&
    config.network.clockSkew.share === 0 &&
    Object.values(config.site.pages).every((page) => page.deeds === undefined)
  );
}
