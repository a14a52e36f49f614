/** What a richer crowd does beside reading pages, made ready for drawing. Built once per worker. */
import { AliasTable } from '../random/alias-table.ts';
import { BotWalk } from './bot-walk.ts';
import type { CrowdConfig, Experiment } from './crowd-config.ts';
import { crowdRows } from './crowd-types.ts';
import type { Deed } from './deeds.ts';
import type { NetworkLife } from './network-life.ts';
import type { SiteMap } from './site-map.ts';
import { eventTypes } from './visitor.ts';

export interface ReadyExperiment {
  readonly choice: AliasTable;
  /** By position of a page's kind: shows the variant. */
  readonly isShownOn: readonly boolean[];
  /** The act kind of the goal; -1: none. */
  readonly goal: number;
  /** By variant. */
  readonly lifts: readonly number[];
  /** By variant: the event's own members, as text. */
  readonly memberTexts: readonly string[];
}

export interface ReadyDeed {
  readonly kind: number;
  readonly deed: Deed;
  /** The event's own members, as text; '' for those that depend on the visitor. */
  readonly memberText: string;
}

export interface CrowdExtras {
  readonly sessionMsMax: number;
  readonly recency: readonly number[];
  readonly returningSources: CrowdConfig['returningSources'];
  readonly returningSourceChoice: AliasTable | undefined;
  readonly memberShare: number;
  readonly tabs: CrowdConfig['tabs'];
  readonly bots: CrowdConfig['bots'];
  readonly botChoice: AliasTable;
  readonly botWalks: readonly BotWalk[];
  readonly experiments: readonly ReadyExperiment[];
  /** By position of a page's kind. */
  readonly deeds: readonly (readonly ReadyDeed[])[];
  readonly exposure: number;
  readonly conversion: number;
  /** Where the rows of bots begin. */
  readonly firstBotRow: number;
  readonly network: NetworkLife;
}

/** The rows of the crowd's ledger, by act kind. */
export function rowsOf(config: CrowdConfig): string[] {
  const deeds = Object.values(config.site.pages).flatMap((page) => page.deeds ?? []);
  const events = deeds.map((deed) => deed.event);
  if (config.experiments.length > 0) events.push('exposure', 'conversion');
  return crowdRows(events, config.bots.share > 0);
}

export function makeExtras(config: CrowdConfig, map: SiteMap): CrowdExtras {
  const rows = rowsOf(config);
  const kinds = Object.entries(config.site.pages);
  const { bots, returningSources } = config;
  return {
    sessionMsMax: config.sessionMsMax,
    recency: config.recency,
    returningSources,
    returningSourceChoice:
      returningSources && new AliasTable(returningSources.map((source) => source.weight)),
    memberShare: config.memberShare,
    tabs: config.tabs,
    bots,
    botChoice: new AliasTable(bots.kinds.length === 0 ? [1] : bots.kinds.map((kind) => kind.weight)),
    botWalks: bots.kinds.map((kind) => new BotWalk(kind, map.pages.length)),
    experiments: config.experiments.map((experiment) =>
      readyExperiment(
        experiment,
        kinds.map(([name]) => name),
        rows,
      ),
    ),
    deeds: kinds.map(([, page]) => (page.deeds ?? []).map((deed) => readyDeed(deed, rows))),
    exposure: rows.indexOf('exposure'),
    conversion: rows.indexOf('conversion'),
    firstBotRow: rows.length - eventTypes.length,
    network: config.network,
  };
}

/** Members of an event as they stand in its JSON, each followed by a comma. In ASCII, so characters are bytes. */
export function membersText(members: Readonly<Record<string, unknown>>): string {
  const text = JSON.stringify(members).replace(
    /[\u007f-\uffff]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return text === '{}' ? '' : `${text.slice(1, -1)},`;
}

function readyDeed(deed: Deed, rows: readonly string[]): ReadyDeed {
  return { kind: rows.indexOf(deed.event), deed, memberText: membersText(deed.members) };
}

function readyExperiment(
  { id, variants, pages, goal, lift }: Experiment,
  kinds: readonly string[],
  rows: readonly string[],
): ReadyExperiment {
  const names = Object.keys(variants);
  return {
    choice: new AliasTable(Object.values(variants)),
    isShownOn: kinds.map((kind) => pages.includes(kind)),
    goal: goal === undefined ? -1 : rows.indexOf(goal),
    lifts: names.map((name) => lift[name] ?? 1),
    memberTexts: names.map((variant) => membersText({ experiment: { id, variant } })),
  };
}
