/**
 * A visitor that does all that a crowd's config can ask for: clicks, signs up, buys, has several tabs, or is a bot.
 * Read in one tab alone and doing nothing it acts as PlainVisitor does, draw for draw.
 *
 *   tab 1   sessionStart  view     click   view       order   closed
 *   tab 2                          view          heartbeat       closed = leave
 *
 * The next act is the earliest of all tabs' next. A tab is opened from a page, with the probability `tabs.share`,
 * 0.5 to 2 s after it; it has a stream, a heartbeat clock and event numbers of its own. The visit ends when its
 * last tab is closed.
 *
 * Cost: about 1.2 KB with its ids and one tab, 0.3 KB for each further one.
 */
import { clampedLogNormal } from '../random/distributions.ts';
import type { RandomStream } from '../random/random-stream.ts';
import type { Walk } from './bot-walk.ts';
import { DeedPlanner } from './deed-planner.ts';
import type { CrowdExtras } from './extras.ts';
import type { TrafficSource } from './site.ts';
import { noPage, type SiteMap } from './site-map.ts';
import { Tab } from './tab.ts';
import type { Traits } from './traits.ts';
import { pageLoad } from './visit-timing.ts';
import { acts, type HeartbeatClock, type Visitor, type VisitorInit } from './visitor.ts';

/** What all visitors of a crowd have in common. */
export interface VisitorHost {
  readonly extras: CrowdExtras;
  readonly map: SiteMap;
  /** The reading of a further tab of a visit. */
  streamOfTab(planSlot: number, generation: number, tab: number): RandomStream;
  /** The heartbeat clock of a tab that is opened at a time. */
  clockOfTab(startMs: number, phase: number): HeartbeatClock;
}

export interface RichVisitorInit extends VisitorInit {
  readonly host: VisitorHost;
  readonly traits: Traits;
  /** As in Visitor. */
  readonly accounts: number;
  /** Whose plan the visit follows: its slot's own, but for a warm start. */
  readonly planSlot: number;
  readonly deeds: RandomStream;
}

const tabOpensAfterMs = { min: 500, max: 2000 } as const;

export class RichVisitor implements Visitor {
  readonly slot: number;
  readonly generation: number;
  readonly person: VisitorInit['person'];
  readonly personsSoFar: number;
  readonly sessionId: string;
  readonly startMs: number = 0.5;
  kind: number;
  dueMs = 0.5;
  pageIndex: number;
  seq = 1;
  extra = '';
  leftMs = Number.POSITIVE_INFINITY;
  readonly #host: VisitorHost;
  readonly #walk: Walk;
  readonly #source: TrafficSource;
  readonly #accounts: number;
  readonly #planSlot: number;
  /** Added to the kinds of what bots do. */
  readonly #rowOffset: number;
  readonly #planner: DeedPlanner;
  readonly #tabs: Tab[];
  #tab: Tab;
  #tabsOpened = 1;

  constructor(init: RichVisitorInit) {
    const { host, traits, person, stream } = init;
    const { extras } = host;
    this.#host = host;
    this.#source = init.source;
    this.#accounts = init.accounts;
    this.#planSlot = init.planSlot;
    this.slot = init.slot;
    this.generation = init.generation;
    this.person = person;
    this.personsSoFar = init.personsSoFar;
    this.sessionId = init.sessionId;
    this.startMs = init.startMs;
    this.dueMs = init.startMs;
    this.#walk = extras.botWalks[traits.bot] ?? host.map;
    this.#rowOffset = traits.bot >= 0 ? extras.firstBotRow : 0;
    this.kind = acts.sessionStart + this.#rowOffset;
    const hasAccount = traits.isMember || (init.accounts & this.#personBit) !== 0;
    this.#planner = new DeedPlanner(extras, this, traits, init.deeds, hasAccount);
    const { medianMs, sigma, minMs, maxMs } = pageLoad;
    const loadedMs = init.startMs + Math.round(clampedLogNormal(stream, medianMs, sigma, minMs, maxMs));
    this.#tab = new Tab(1, stream, init.heartbeat, this.#walk.entryPage(stream), loadedMs);
    this.#tabs = [this.#tab];
    this.pageIndex = this.#tab.pageIndex;
  }

  get #personBit(): number {
    return 1 << (this.personsSoFar - 1 - this.person.number);
  }

  get accounts(): number {
    return this.#accounts | (this.#planner.hasAccount ? this.#personBit : 0);
  }

  get tab(): number {
    return this.#tab.number;
  }

  get source(): string | undefined {
    return this.#source.name;
  }

  get campaign(): string | undefined {
    return this.#source.campaign;
  }

  get elapsedMs(): number {
    return Math.floor(this.dueMs) - Math.floor(this.startMs);
  }

  advance(): void {
    if (this.kind === acts.leave) {
      if (this.dueMs !== Number.POSITIVE_INFINITY) this.leftMs = this.dueMs;
      this.dueMs = Number.POSITIVE_INFINITY;
      return;
    }
    const tab = this.#tab;
    tab.seq += 1;
    if (this.kind !== acts.sessionStart + this.#rowOffset) {
      if (tab.next === 'view') this.#read(tab);
      tab.made();
    }
    this.#chooseNext();
  }

  leaveAt(ms: number): void {
    if (this.dueMs === Number.POSITIVE_INFINITY) return;
    this.kind = acts.leave;
    this.dueMs = ms;
    this.seq = 0;
    this.extra = '';
  }

  skipTo(ms: number): void {
    while (this.dueMs < ms) this.advance();
    for (const tab of this.#tabs) tab.seq = 1;
    if (this.kind !== acts.leave) this.seq = 1;
  }

  /** A page was opened: draws how long it is read, what follows, what is done on it, and if a tab is opened. */
  #read(tab: Tab): void {
    const fromMs = tab.nextDueMs;
    tab.pageIndex = tab.readingPage;
    const untilMs = fromMs + this.#walk.readingMs(tab.pageIndex, tab.stream);
    const capMs = this.startMs + this.#host.extras.sessionMsMax;
    tab.readingPage = untilMs < capMs ? this.#walk.nextPage(tab.pageIndex, tab.stream) : noPage;
    tab.readingDueMs = Math.min(untilMs, capMs);
    if (this.#rowOffset > 0) return;
    this.#planner.plan(tab, this.#host.map.kindIndexOf(tab.pageIndex), fromMs, tab.readingDueMs);
    this.#openTab(tab, fromMs, capMs);
  }

  #openTab(from: Tab, fromMs: number, capMs: number): void {
    const { tabs } = this.#host.extras;
    if (tabs.share === 0) return;
    const isOpened = this.#planner.stream.next() < tabs.share;
    if (!isOpened || this.#tabsOpened >= tabs.max) return;
    const stream = this.#host.streamOfTab(this.#planSlot, this.generation, this.#tabsOpened + 1);
    const { min, max } = tabOpensAfterMs;
    const dueMs = fromMs + min + stream.next() * (max - min);
    const clock = this.#host.clockOfTab(dueMs, stream.next());
    const page = this.#walk.nextPage(from.pageIndex, stream);
    // A tab is opened by a link; who would have left has none. It also can't be opened from a page that is gone.
    if (page === noPage || dueMs >= Math.min(from.readingDueMs, capMs)) return;
    this.#tabsOpened += 1;
    this.#tabs.push(new Tab(this.#tabsOpened, stream, clock, page, dueMs));
  }

  /** Tabs that are closed go without a word; the last one's end is the visit's. */
  #chooseNext(): void {
    for (;;) {
      let first = this.#tabs[0] as Tab;
      for (const tab of this.#tabs) if (tab.nextDueMs < first.nextDueMs) first = tab;
      this.#tab = first;
      if (first.next !== 'close') break;
      if (this.#tabs.length === 1) {
        this.leaveAt(first.nextDueMs);
        return;
      }
      this.#tabs.splice(this.#tabs.indexOf(first), 1);
    }
    this.#take(this.#tab);
  }

  #take(tab: Tab): void {
    this.dueMs = tab.nextDueMs;
    this.seq = tab.seq;
    this.extra = '';
    this.pageIndex = tab.next === 'view' ? tab.readingPage : tab.pageIndex;
    if (tab.next === 'deed') {
      this.kind = tab.deed.kind;
      this.extra = tab.deed.extra;
    } else {
      this.kind = (tab.next === 'view' ? acts.view : acts.heartbeat) + this.#rowOffset;
    }
  }
}
