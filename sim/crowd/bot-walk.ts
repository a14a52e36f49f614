/**
 * How a bot goes through a site: every page equally likely, whatever links there are, at a pace of its own. The
 * number of pages is geometric.
 */
import { logNormal } from '../random/distributions.ts';
import type { RandomStream } from '../random/random-stream.ts';
import type { BotKind } from './crowd-config.ts';
import { noPage } from './site-map.ts';

/** What a visit draws its pages from; a SiteMap is one too. */
export interface Walk {
  entryPage(stream: RandomStream): number;
  /** `noPage` for leaving. */
  nextPage(page: number, stream: RandomStream): number;
  /** Whole milliseconds, at least 1. */
  readingMs(page: number, stream: RandomStream): number;
}

export class BotWalk implements Walk {
  readonly #kind: BotKind;
  readonly #pages: number;

  /** @param pages how many the site has */
  constructor(kind: BotKind, pages: number) {
    this.#kind = kind;
    this.#pages = pages;
  }

  entryPage(stream: RandomStream): number {
    return stream.int(this.#pages);
  }

  nextPage(_page: number, stream: RandomStream): number {
    const isLast = stream.next() < 1 / this.#kind.pages;
    const page = stream.int(this.#pages);
    return isLast ? noPage : page;
  }

  readingMs(_page: number, stream: RandomStream): number {
    const { medianMs, sigma } = this.#kind.pace;
    return Math.max(1, Math.round(logNormal(stream, medianMs, sigma)));
  }
}
