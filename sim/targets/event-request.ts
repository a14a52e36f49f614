/**
 * Writes a visitor's acts as HTTP requests to crowdbeat's collector: one act, one `POST /write`; or, where heartbeats
 * go to a session store, one `POST /session/update` for each of those.
 *
 * Hot path. A request is four pieces of text joined: the head of the visitor's profile and the part of
 * the visitor's session are made once and kept; only time, number and page change. About 1 us an event.
 */
import { type AskedDurability, durabilityHeader } from '../../server/protocol/durability.ts';
import { formatPropertyName, type PropertyName, propertyHeader } from '../../server/protocol/property.ts';
import { wireType } from '../crowd/crowd-types.ts';
import type { Profile } from '../crowd/profile.ts';
import type { SitePage } from '../crowd/site-map.ts';
import { acts, eventTypes, type Visitor } from '../crowd/visitor.ts';
import { requestHead } from '../transport/http-request.ts';
import { addressOf } from './addresses.ts';
import { bearerHeaders, publishHeaders } from './credentials.ts';

export { eventTypes };

/** A row of the ledger: an event type, or `bot:` and an event type (crowd-types.ts). */
export type SentEventType = string;

export interface EventRequestOptions {
  /** The collector, without `/write`; a path becomes a prefix. */
  readonly url: URL;
  readonly property: PropertyName;
  /** The site's pages, by page index. */
  readonly pages: readonly SitePage[];
  /** Epoch ms of run time 0: an act at `dueMs` happened at `startWallMs + dueMs`. */
  readonly startWallMs: number;
  /** The crowd's event types, by act kind. Default: the three of every visit. */
  readonly types?: readonly string[];
  /** What the collector is asked to promise. Default: stored. */
  readonly durability?: 'stored' | AskedDurability;
  /** The session store that heartbeats go to. Undefined: they are written like all other events. */
  readonly sessionStore?: string | undefined;
  /** Each request says by `X-Forwarded-For` from which address its visitor is. */
  readonly clientHeaders?: boolean | undefined;
  readonly token?: string | undefined;
  /** Goes with writes, in the place of the token. */
  readonly key?: string | undefined;
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
  /** What follows the content-length's number: the visitor's own headers, and the empty line. */
  readonly tail: string;
  /** The members of the event that stay the same. */
  readonly members: string;
}

/** The heads of one profile, up to the content-length's number, by where a request goes. */
interface Heads {
  readonly write: string;
  readonly update: string;
}

const tabText = (tab: number): string => `"tab":{"id":"${tab}"},`;
const firstTab = tabText(1);

const plainTail = '\r\n\r\n';

export class EventRequests {
  readonly #options: EventRequestOptions;
  readonly #headsByProfile = new Map<Profile, Heads>();
  /** What stands before the event of a heartbeat for the session store. */
  readonly #updateStart: string;
  /** By act kind: true for heartbeats, if there is a session store. */
  readonly #isForStore: readonly boolean[];
  #token: string | undefined;
  readonly #pageTexts: readonly string[];
  readonly #eventStarts: readonly string[];

  constructor(options: EventRequestOptions) {
    this.#options = options;
    this.#token = options.token;
    this.#isForStore = (options.types ?? eventTypes).map(
      (row) => wireType(row) === 'heartbeat' && options.sessionStore !== undefined,
    );
    this.#updateStart = flat(`{"store":${asciiJson(options.sessionStore ?? '')},"ops":[{"upsert":[`);
    this.#eventStarts = (options.types ?? eventTypes).map(
      (row) => `{"event":{"type":${asciiJson(wireType(row))},"time":`,
    );
    this.#pageTexts = options.pages.map(({ url, path, title }) =>
      flat(`"page":${asciiJson({ url, path, title })}`),
    );
  }

  /** Epoch ms, whole, of an act; floored, as the crowd's digest assumes. */
  timeMs(dueMs: number): number {
    return this.#options.startWallMs + Math.floor(dueMs);
  }

  /** True if acts of this kind go to the session store. */
  isForStore(kind: number): boolean {
    return this.#isForStore[kind] === true;
  }

  /** The token that requests carry from now on; undefined: none. */
  get token(): string | undefined {
    return this.#token;
  }

  set token(token: string) {
    this.#token = token;
    this.#headsByProfile.clear();
  }

  /** The same by the visitor's own clock, which may be wrong. */
  eventTimeMs({ person }: Visitor, dueMs: number): number {
    return this.timeMs(dueMs) + (person.traits?.clockSkewMs ?? 0);
  }

  pagePath(pageIndex: number): string {
    return this.#options.pages[pageIndex]?.path ?? '';
  }

  /** Made once per visit. */
  visitText(visitor: Visitor): VisitText {
    const { sessionId, startMs, person, slot } = visitor;
    const session = { id: sessionId, start: this.eventTimeMs(visitor, startMs) };
    const rest = asciiJson({ session, visitor: { id: person.visitorId }, tab: { id: '1' } });
    const { clientHeaders = false } = this.#options;
    const tail = clientHeaders
      ? flat(`\r\nx-forwarded-for: ${addressOf(slot, person)}${plainTail}`)
      : plainTail;
    return { tail, members: flat(`,${rest.slice(1, -1)},`) };
  }

  /** The whole HTTP request of one act. */
  render(
    visitor: Visitor,
    text: VisitText,
    kind: number,
    dueMs: number,
    pageIndex: number,
    seq: number,
    tab = 1,
    extra = '',
  ): string {
    const source = kind === acts.sessionStart ? this.#sourceText(visitor) : '';
    const start = this.#eventStarts[kind] ?? '';
    const page = this.#pageTexts[pageIndex] ?? '';
    const members = tab === 1 ? text.members : text.members.slice(0, -firstTab.length) + tabText(tab);
    const timeMs = this.eventTimeMs(visitor, dueMs);
    const event = `${start}${timeMs},"seq":${seq}}${members}${source}${extra}${page}}`;
    const heads = this.#headsOf(visitor.person.profile);
    if (!this.isForStore(kind)) return `${heads.write}${event.length}${text.tail}${event}`;
    const body = `${this.#updateStart}${event}]}]}`;
    return `${heads.update}${body.length}${text.tail}${body}`;
  }

  #sourceText(visitor: Visitor): string {
    if (visitor.source === undefined) return '';
    const source = {
      name: visitor.source,
      ...(visitor.campaign === undefined ? {} : { campaign: visitor.campaign }),
    };
    return `"source":${asciiJson(source)},`;
  }

  #headsOf(profile: Profile): Heads {
    let heads = this.#headsByProfile.get(profile);
    if (heads === undefined) {
      const { key, durability = 'stored' } = this.#options;
      const asked = durability === 'stored' ? {} : { [durabilityHeader]: durability };
      heads = {
        write: this.#head('/write', profile, { ...publishHeaders(this.#token, key), ...asked }),
        update: this.#head('/session/update', profile, bearerHeaders(this.#token)),
      };
      this.#headsByProfile.set(profile, heads);
    }
    return heads;
  }

  #head(path: string, profile: Profile, headers: Readonly<Record<string, string>>): string {
    const { url, property } = this.#options;
    return flat(
      requestHead({
        method: 'POST',
        path: `${url.pathname.replace(/\/$/, '')}${path}`,
        host: url.host,
        headers: {
          'user-agent': profile.userAgent,
          'accept-language': profile.language,
          'content-type': 'application/json',
          [propertyHeader]: formatPropertyName(property),
          ...headers,
        },
      }),
    );
  }
}
