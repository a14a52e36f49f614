/**
 * What a visitor does on the pages it opens: draws, for each page, which deeds follow and when, keeps track of who
 * is logged in, shows variants and notes conversions. One per visit of a richer crowd.
 *
 * Everything is drawn from a stream of its own, in the order in which pages are opened, so that a page's reading
 * time and what follows it are the same whether anybody clicks or not.
 */
import { logNormal } from '../random/distributions.ts';
import type { RandomStream } from '../random/random-stream.ts';
import { type CrowdExtras, membersText, type ReadyDeed } from './extras.ts';
import type { PendingDeed, Tab } from './tab.ts';
import type { Traits } from './traits.ts';

/** Whose deeds they are. */
export interface Doer {
  readonly sessionId: string;
  readonly person: { readonly visitorId: string };
}

export class DeedPlanner {
  readonly stream: RandomStream;
  hasAccount: boolean;
  #isLoggedIn = false;
  #orders = 0;
  /** Bit e: experiment e was shown, or converted, in this visit. */
  #shown = 0;
  #converted = 0;
  readonly #extras: CrowdExtras;
  readonly #doer: Doer;
  readonly #traits: Traits;

  /** @param hasAccount when the visit begins */
  constructor(extras: CrowdExtras, doer: Doer, traits: Traits, stream: RandomStream, hasAccount: boolean) {
    this.#extras = extras;
    this.#doer = doer;
    this.#traits = traits;
    this.stream = stream;
    this.hasAccount = hasAccount;
  }

  /** A page of a kind was opened at `fromMs` in a tab, and will be read until `untilMs`. */
  plan(tab: Tab, pageKind: number, fromMs: number, untilMs: number): void {
    this.#show(tab, pageKind, fromMs);
    for (const ready of this.#extras.deeds[pageKind] ?? []) this.#draw(tab, ready, fromMs, untilMs);
  }

  #show(tab: Tab, pageKind: number, dueMs: number): void {
    const { experiments, exposure } = this.#extras;
    experiments.forEach((experiment, at) => {
      if (!experiment.isShownOn[pageKind] || (this.#shown & (1 << at)) !== 0) return;
      this.#shown |= 1 << at;
      tab.plan({ kind: exposure, dueMs, extra: this.#variantText(at) });
    });
  }

  #variantText(experiment: number): string {
    return this.#extras.experiments[experiment]?.memberTexts[this.#traits.variants[experiment] ?? 0] ?? '';
  }

  #draw(tab: Tab, { kind, deed, memberText }: ReadyDeed, fromMs: number, untilMs: number): void {
    const chance = this.stream.next();
    const when = this.stream.next();
    const revenue = deed.order && logNormal(this.stream, deed.order.medianRevenue, deed.order.sigma);
    if (chance >= deed.share * this.#lift(kind) || !this.#may(deed.event)) return;
    const dueMs = deed.at === 'open' ? fromMs : fromMs + when * (untilMs - fromMs);
    const extra = memberText + this.#ownText(deed.event, deed.order?.currency, revenue ?? 0);
    tab.plan({ kind, dueMs, extra });
    this.#convert(tab, kind, dueMs);
  }

  /** How much more, or less, the variants that were shown lead to a goal. */
  #lift(kind: number): number {
    let lift = 1;
    this.#extras.experiments.forEach((experiment, at) => {
      if (experiment.goal === kind && (this.#shown & (1 << at)) !== 0)
        lift *= experiment.lifts[this.#traits.variants[at] ?? 0] ?? 1;
    });
    return lift;
  }

  /** Some deeds only those can do who are in the state for it, and they change it. */
  #may(event: string): boolean {
    const isOutside = !this.#isLoggedIn;
    switch (event) {
      case 'signup':
        if (this.hasAccount) return false;
        this.hasAccount = true;
        this.#isLoggedIn = true;
        return true;
      case 'login':
      case 'loginAndImport':
        if (!this.hasAccount || !isOutside) return false;
        this.#isLoggedIn = true;
        return true;
      case 'logout':
        this.#isLoggedIn = false;
        return !isOutside;
      case 'updateUser':
        return !isOutside;
      default:
        return true;
    }
  }

  #ownText(event: string, currency: string | undefined, revenue: number): string {
    if (currency !== undefined) {
      this.#orders += 1;
      const id = `${this.#doer.sessionId}-${this.#orders}`;
      return membersText({ order: { id, revenue: Math.round(revenue * 100) / 100, currency } });
    }
    const names = ['signup', 'login', 'loginAndImport', 'logout', 'updateUser'];
    return names.includes(event) ? membersText({ user: { id: `u-${this.#doer.person.visitorId}` } }) : '';
  }

  #convert(tab: Tab, kind: number, dueMs: number): void {
    const { experiments, conversion } = this.#extras;
    experiments.forEach((experiment, at) => {
      const bit = 1 << at;
      if (experiment.goal !== kind || (this.#shown & bit) === 0 || (this.#converted & bit) !== 0) return;
      this.#converted |= bit;
      const deed: PendingDeed = { kind: conversion, dueMs, extra: this.#variantText(at) };
      tab.plan(deed);
    });
  }
}
