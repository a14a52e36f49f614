/**
 * Writes a visitor's acts as HTTP requests to crowdbeat's collector: one act, one `POST /write`.
 *
 * Hot path. A request is four pieces of text joined: the head of the visitor's profile and the part of
 * the visitor's session are made once and kept; only time, number and page change. About 1 us an event.
 */
import { type AskedDurability, durabilityHeader } from '../../server/protocol/durability.ts';
import { formatPropertyName, type PropertyName, propertyHeader } from '../../server/protocol/property.ts';
import type { Profile } from '../crowd/profile.ts';
import type { SitePage } from '../crowd/site-map.ts';
import { acts, eventTypes, type Visitor } from '../crowd/visitor.ts';
import { requestHead } from '../transport/http-request.ts';

export { eventTypes };

export type SentEventType = (typeof eventTypes)[number];

const eventStarts = eventTypes.map((type) => `{"event":{"type":"${type}","time":`);

export interface EventRequestOptions {
  /** The collector, without `/write`; a path becomes a prefix. */
  readonly url: URL;
  readonly property: PropertyName;
  /** The site's pages, by page index. */
  readonly pages: readonly SitePage[];
  /** Epoch ms of run time 0: an act at `dueMs` happened at `startWallMs + dueMs`. */
  readonly startWallMs: number;
  /** What the collector is asked to promise. Default: stored. */
  readonly durability?: 'stored' | AskedDurability;
}

/** JSON text in ASCII alone, so that characters are bytes and content-length is the text's length. */
export function asciiJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[\u007f-\uffff]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/**
 * The same text in one piece. V8 keeps joined texts as trees and walks the tree each time they are written
 * to a socket: 3 us an event here, measured with 20 parts; a part that is used for minutes is worth a copy.
 */
export function flat(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1');
}

/** What all requests of one visit have in common. */
export interface VisitText {
  /** Everything before the content-length's number. */
  readonly head: string;
  /** The members of the event that stay the same. */
  readonly members: string;
}

export class EventRequests {
  readonly #options: EventRequestOptions;
  readonly #headByProfile = new Map<Profile, string>();
  readonly #pageTexts: readonly string[];

  constructor(options: EventRequestOptions) {
    this.#options = options;
    this.#pageTexts = options.pages.map(({ url, path, title }) =>
      flat(`"page":${asciiJson({ url, path, title })}`),
    );
  }

  /** Epoch ms, whole, of an act; floored, as the crowd's digest assumes. */
  timeMs(dueMs: number): number {
    return this.#options.startWallMs + Math.floor(dueMs);
  }

  pagePath(pageIndex: number): string {
    return this.#options.pages[pageIndex]?.path ?? '';
  }

  /** Made once per visit. */
  visitText(visitor: Visitor): VisitText {
    const { sessionId, startMs, person } = visitor;
    const session = { id: sessionId, start: this.timeMs(startMs) };
    const rest = asciiJson({ session, visitor: { id: person.visitorId }, tab: { id: '1' } });
    return { head: this.#headOf(person.profile), members: flat(`,${rest.slice(1, -1)},`) };
  }

  /** The whole HTTP request of one act. */
  render(
    visitor: Visitor,
    text: VisitText,
    kind: number,
    dueMs: number,
    pageIndex: number,
    seq: number,
  ): string {
    const source = kind === acts.sessionStart ? this.#sourceText(visitor) : '';
    const start = eventStarts[kind] ?? '';
    const page = this.#pageTexts[pageIndex] ?? '';
    const body = `${start}${this.timeMs(dueMs)},"seq":${seq}}${text.members}${source}${page}}`;
    return `${text.head}${body.length}\r\n\r\n${body}`;
  }

  #sourceText(visitor: Visitor): string {
    if (visitor.source === undefined) return '';
    const source = {
      name: visitor.source,
      ...(visitor.campaign === undefined ? {} : { campaign: visitor.campaign }),
    };
    return `"source":${asciiJson(source)},`;
  }

  #headOf(profile: Profile): string {
    let head = this.#headByProfile.get(profile);
    if (head === undefined) {
      const { url, property, durability = 'stored' } = this.#options;
      head = flat(
        requestHead({
          method: 'POST',
          path: `${url.pathname.replace(/\/$/, '')}/write`,
          host: url.host,
          headers: {
            'user-agent': profile.userAgent,
            'accept-language': profile.language,
            'content-type': 'application/json',
            [propertyHeader]: formatPropertyName(property),
            ...(durability === 'stored' ? {} : { [durabilityHeader]: durability }),
          },
        }),
      );
      this.#headByProfile.set(profile, head);
    }
    return head;
  }
}
