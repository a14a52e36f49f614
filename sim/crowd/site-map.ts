/**
 * A site made ready for drawing: every page by number, and an alias table for every choice. Built once
 * per worker; visitors only hold a reference to it.
 */
import { AliasTable, zipfWeights } from '../random/alias-table.ts';
import { logNormal, weibull } from '../random/distributions.ts';
import type { RandomStream } from '../random/random-stream.ts';
import { exit, type PageKind, type ReadingTime, type Site, type TrafficSource } from './site.ts';

/** One page of a site, found by its page index. */
export interface SitePage {
  readonly path: string;
  readonly title: string;
  readonly url: string;
  /** The name of its kind in the site's `pages`. */
  readonly kind: string;
}

/** What `nextPage` answers for leaving. */
export const noPage = -1;

interface KindChoices {
  readonly firstPage: number;
  /** Undefined for a kind of one page. */
  readonly items: AliasTable | undefined;
  readonly reading: ReadingTime;
  /** The last choice, number `kinds.length`, is exit. */
  readonly next: AliasTable;
}

export class SiteMap {
  /** Every page; a page index is a position in it. Items of a kind stand together, most popular first. */
  readonly pages: readonly SitePage[];
  readonly returningShare: number;
  readonly #kinds: readonly KindChoices[];

  readonly #kindOfPage: Int32Array;
  readonly #entry: AliasTable;
  readonly #sourceChoice: AliasTable;
  readonly #sources: readonly TrafficSource[];

  constructor(site: Site) {
    const names = Object.keys(site.pages);
    const kinds = Object.values(site.pages);
    this.pages = kinds.flatMap((kind, index) => pagesOf(site, names[index] as string, kind));
    this.returningShare = site.returningShare;
    this.#kindOfPage = Int32Array.from(
      kinds.flatMap((kind, index) => new Array<number>(kind.items).fill(index)),
    );
    this.#kinds = kinds.map((kind, index) => ({
      firstPage: this.#kindOfPage.indexOf(index),
      items: kind.items > 1 ? new AliasTable(zipfWeights(kind.items, kind.zipfExponent)) : undefined,
      reading: kind.reading,
      next: new AliasTable([...names, exit].map((name) => kind.next[name] ?? 0)),
    }));
    this.#entry = new AliasTable(names.map((name) => site.entry[name] ?? 0));
    this.#sources = site.sources;
    this.#sourceChoice = new AliasTable(site.sources.map((source) => source.weight));
  }

  /** The page on which a visit begins. One or two uniforms. */
  entryPage(stream: RandomStream): number {
    return this.#pageOf(this.#entry.sample(stream), stream);
  }

  /** The page after `page`, or `noPage` for leaving. One or two uniforms. */
  nextPage(page: number, stream: RandomStream): number {
    const kind = this.#kindAt(page).next.sample(stream);
    return kind === this.#kinds.length ? noPage : this.#pageOf(kind, stream);
  }

  /** How long `page` is read, in whole milliseconds, at least 1. Two uniforms, or one of a Weibull time. */
  readingMs(page: number, stream: RandomStream): number {
    return drawReadingMs(this.#kindAt(page).reading, stream);
  }

  /** The position of a page's kind in the site's `pages`. */
  kindIndexOf(page: number): number {
    return this.#kindOfPage[page] as number;
  }

  /** What brought a visit. One uniform. */
  source(stream: RandomStream): TrafficSource {
    return this.#sources[this.#sourceChoice.sample(stream)] as TrafficSource;
  }

  #kindAt(page: number): KindChoices {
    return this.#kinds[this.#kindOfPage[page] as number] as KindChoices;
  }

  #pageOf(kindIndex: number, stream: RandomStream): number {
    const kind = this.#kinds[kindIndex] as KindChoices;
    return kind.items === undefined ? kind.firstPage : kind.firstPage + kind.items.sample(stream);
  }
}

export function drawReadingMs(reading: ReadingTime, stream: RandomStream): number {
  const ms =
    'sigma' in reading
      ? logNormal(stream, reading.medianMs, reading.sigma)
      : weibull(stream, reading.scaleMs, reading.shape);
  // Rounded, so that the last bit of a platform's Math.log can't move an act.
  return Math.max(1, Math.round(ms));
}

function pagesOf(site: Site, name: string, kind: PageKind): SitePage[] {
  return Array.from({ length: kind.items }, (_value, index) => {
    const rank = String(index + 1);
    const path = kind.path.replaceAll(':n', rank);
    return { path, title: kind.title.replaceAll(':n', rank), url: site.origin + path, kind: name };
  });
}
