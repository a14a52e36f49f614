/**
 * The only file that knows what a key is called. With P = `{account::property}` (braces: a cluster hashes
 * what they hold, so all keys of a property share one slot):
 *
 *   P::evt:NAME::T[::sK]                 visitors with an event NAME in the time bucket T
 *   P::src:S::cpg:C::T[::sK]             visitors with an event from source S and campaign C
 *   P::bot:NAME::T  P::botsrc:S::cpg:C::T  the same of bots, which are in none of the two above
 *   P::all[::sK]                         people: visitors with any event that was no bot's
 *   P::ids  P::vid:B                     next dense visitor id; visitor to id, in 32,768 hashes
 *   P::sess::UUID                        a session's home: its day
 *   P::YYYY-MM-DD::session_UUID          session info and windows of seen numbers;  P::session_index::YYYY-MM-DD  their list
 *   P::seg:K::docs  P::seg:K::dir        stored documents of the ordinals K*65,536 and up; their directory
 *   P::seg:K::cols  P::seg:K::pages      columns and documents of a sealed segment;  P::seg:K::meta  what is in it
 *   P::sealed  P::seal_lease             which segments are sealed; held by the collector that seals one
 *   P::user:ID  P::user:ID::visitors     a user's record; visitors who were the user, by the latest time
 *   P::visitor:ID::users                 users whom the visitor was, by the latest time, and the last logout
 *   P::schema                            declared fields
 *   P::tmp:N  P::marker                  work of one script, gone when it ends
 *   P::totals  P::registry  P::generation  P::eids::YYYY-MM-DD
 *   P::session_stores                    names of session stores;  P::stash:NAME::seen  P::stash:NAME::docs  one store's
 *   P::stash:NAME::gone::UUID            how often a session departed that is no longer in the store
 *
 * Segment 0 of a bitmap has no suffix; segment K holds the dense ids from K*2^20 as offsets from there.
 *
 *   account "demo", property "site", event "cart:add", 2026-11-21, dense id 2,097,155
 *   -> {demo::site}::evt:cart%3Aadd::2026-11-21::s2, offset 3
 */
import type { PropertyName } from '../protocol/property.ts';

/** Dense visitor ids of one bitmap: 2^20, so that no bitmap is longer than 128 KiB. */
export const visitorSegmentBits = 20;
/** Ordinals of one segment of the index store: 2^16. */
export const ordinalSegmentBits = 16;
/** Stands for "no campaign". No escaped name can be it: an escape always has two or five characters more. */
export const noCampaign = '%-';

const mustEscape = (code: number): boolean =>
  code < 0x20 ||
  code === 0x7f ||
  code === 0x25 ||
  code === 0x3a ||
  code === 0x7b ||
  code === 0x7d ||
  code === 0x23;

const isSurrogate = (code: number): boolean => code >= 0xd800 && code <= 0xdfff;

/**
 * Makes a name safe inside a key and inside a hash field: `%`, `:`, `{`, `}`, `#` and control characters
 * become `%3A`, a surrogate without its partner (which UTF-8 cannot carry) becomes `%uD800`. Injective.
 */
export function escapeName(name: string): string {
  for (let i = 0; i < name.length; i++) {
    const code = name.charCodeAt(i);
    if (mustEscape(code) || isSurrogate(code)) return escapeFrom(name, i);
  }
  return name;
}

function escapeFrom(name: string, from: number): string {
  let escaped = name.slice(0, from);
  for (const character of name.slice(from)) {
    const code = character.charCodeAt(0);
    if (character.length === 1 && isSurrogate(code)) escaped += `%u${hex(code, 4)}`;
    else escaped += mustEscape(code) ? `%${hex(code, 2)}` : character;
  }
  return escaped;
}

const hex = (code: number, width: number): string => code.toString(16).toUpperCase().padStart(width, '0');

/** The name that `escapeName` turned into this text. */
export function unescapeName(escaped: string): string {
  return escaped.replace(/%(?:u([0-9A-F]{4})|([0-9A-F]{2}))/g, (_all, wide?: string, narrow?: string) =>
    String.fromCharCode(Number.parseInt(wide ?? narrow ?? '', 16)),
  );
}

/** `evt:NAME`, of bots `bot:NAME`: how an event type is called in keys and in the registry. */
export const eventKeyName = (type: string, isBot = false): string =>
  `${isBot ? 'bot' : 'evt'}:${escapeName(type)}`;

/** `type:NAME`, of bots `bot:NAME`: how the count of an event type is called among the totals. */
export const totalName = (type: string, isBot: boolean): string =>
  `${isBot ? 'bot' : 'type'}:${escapeName(type)}`;

/** `src:S::cpg:C`, of bots `botsrc:…`: how a source and its campaign are called in keys and in the registry. */
export const sourceKeyName = (source: string, campaign: string | undefined, isBot = false): string =>
  `${isBot ? 'botsrc' : 'src'}:${escapeName(source)}::cpg:${campaign === undefined ? noCampaign : escapeName(campaign)}`;

export class PropertyKeys {
  readonly generation: string;
  readonly totals: string;
  readonly registry: string;
  readonly ids: string;
  readonly all: string;
  readonly #prefix: string;

  constructor(name: PropertyName) {
    this.#prefix = `{${escapeName(name.account)}::${escapeName(name.property)}}::`;
    this.generation = `${this.#prefix}generation`;
    this.totals = `${this.#prefix}totals`;
    this.registry = `${this.#prefix}registry`;
    this.ids = `${this.#prefix}ids`;
    this.all = `${this.#prefix}all`;
  }

  /** A pattern for SCAN that all keys of the property match, and no key of another one. */
  get pattern(): string {
    return `${this.#prefix.replace(/[\\*?[\]]/g, '\\$&')}*`;
  }

  /** Segment 0 of a time bucket; `keyName` comes from eventKeyName or sourceKeyName. */
  bucket(keyName: string, bucketName: string): string {
    return `${this.#prefix}${keyName}::${bucketName}`;
  }

  visitorIds(bucket: number): string {
    return `${this.#prefix}vid:${bucket}`;
  }

  eventIds(day: string): string {
    return `${this.#prefix}eids::${day}`;
  }

  sessionHome(escapedSession: string): string {
    return `${this.#prefix}sess::${escapedSession}`;
  }

  sessionInfo(day: string, escapedSession: string): string {
    return `${this.#prefix}${day}::session_${escapedSession}`;
  }

  sessionIndex(day: string): string {
    return `${this.#prefix}session_index::${day}`;
  }

  userRecord(userId: string): string {
    return `${this.#prefix}user:${escapeName(userId)}`;
  }

  visitorsOfUser(userId: string): string {
    return `${this.#prefix}user:${escapeName(userId)}::visitors`;
  }

  usersOfVisitor(visitorId: string): string {
    return `${this.#prefix}visitor:${escapeName(visitorId)}::users`;
  }

  get schema(): string {
    return `${this.#prefix}schema`;
  }

  documents(ordinalSegment: number): string {
    return `${this.#prefix}seg:${ordinalSegment}::docs`;
  }

  directory(ordinalSegment: number): string {
    return `${this.#prefix}seg:${ordinalSegment}::dir`;
  }

  segmentColumns(ordinalSegment: number): string {
    return `${this.#prefix}seg:${ordinalSegment}::cols`;
  }

  segmentPages(ordinalSegment: number): string {
    return `${this.#prefix}seg:${ordinalSegment}::pages`;
  }

  segmentMeta(ordinalSegment: number): string {
    return `${this.#prefix}seg:${ordinalSegment}::meta`;
  }

  get sealed(): string {
    return `${this.#prefix}sealed`;
  }

  get sealLease(): string {
    return `${this.#prefix}seal_lease`;
  }

  /** A bitmap that a question's script makes and deletes again: it exists in that script only. */
  temporary(register: number): string {
    return `${this.#prefix}tmp:${register}`;
  }

  /** Written and deleted in one script, so that what comes after it in the stream of replication is known. */
  get marker(): string {
    return `${this.#prefix}marker`;
  }

  get sessionStores(): string {
    return `${this.#prefix}session_stores`;
  }

  /** Keys of one session store; see session-store-record.ts. */
  sessionStore(name: string): SessionStoreKeys {
    const prefix = `${this.#prefix}stash:${escapeName(name)}::`;
    return {
      generation: this.generation,
      stores: this.sessionStores,
      seen: `${prefix}seen`,
      docs: `${prefix}docs`,
      gone: (sessionId) => `${prefix}gone::${escapeName(sessionId)}`,
    };
  }
}

export interface SessionStoreKeys {
  readonly generation: string;
  readonly stores: string;
  readonly seen: string;
  readonly docs: string;
  readonly gone: (sessionId: string) => string;
}

/** Of no property: which collectors live; see nodes.ts. No property's hash tag is without `::`. */
export const collectorNodes = '{crowdbeat}::collectors';
export const collectorNodesUntil = '{crowdbeat}::collectors_until';

/** Of no property: which properties a flusher inside a collector looks at, and which collector does it. */
export const flushedProperties = 'crowdbeat::flushed_properties';
export const flushLease = 'crowdbeat::flush_lease';

/** Of no property: held by the collector that sweeps what has expired. */
export const sweepLease = 'crowdbeat::sweep_lease';

/** A pattern for SCAN that the generation of every property matches; `propertyOfGeneration` says which do. */
export const generationPattern = '{*}::generation';

const generationKey = /^\{([^:{}]+)::([^:{}]+)\}::generation$/;

/** The property whose generation this key holds; undefined if it is another key. */
export function propertyOfGeneration(key: string): PropertyName | undefined {
  const [, account, property] = generationKey.exec(key) ?? [];
  if (account === undefined || property === undefined) return undefined;
  return { account: unescapeName(account), property: unescapeName(property) };
}

/** A bitmap's key for a segment of dense visitor ids. */
export const segmentKey = (segmentZeroKey: string, segment: number): string =>
  segment === 0 ? segmentZeroKey : `${segmentZeroKey}::s${segment}`;

/**
 * Keys of an account: who its users are and what they may. They lie outside of its properties, in a slot of their
 * own, and are always these eight, so that an account goes with one command.
 */
export class AccountKeys {
  /** Hash: user -> rights. */
  readonly users: string;
  /** Hash: user -> how its password was hashed. */
  readonly passwords: string;
  /** Hash: SHA-256 of a token -> expiry, epoch, user;  sorted set of the same by expiry. */
  readonly tokens: string;
  readonly tokenExpiry: string;
  /** Hash: property -> when it was made. */
  readonly properties: string;
  /** Hash: SHA-256 of a publish key -> its property and beginning. */
  readonly publishKeys: string;
  /** Set: escaped property, `:`, host or origin. */
  readonly cors: string;
  /** Hash: parameter -> value. */
  readonly system: string;

  constructor(account: string) {
    // One colon: an escaped name has none, and a property's tag has two in a row.
    const prefix = `{acct:${escapeName(account)}}::`;
    this.users = `${prefix}users`;
    this.passwords = `${prefix}passwords`;
    this.tokens = `${prefix}tokens`;
    this.tokenExpiry = `${prefix}token_expiry`;
    this.properties = `${prefix}properties`;
    this.publishKeys = `${prefix}publish_keys`;
    this.cors = `${prefix}cors`;
    this.system = `${prefix}system`;
  }

  get all(): readonly string[] {
    const { users, passwords, tokens, tokenExpiry, properties, publishKeys, cors, system } = this;
    return [users, passwords, tokens, tokenExpiry, properties, publishKeys, cors, system];
  }
}

/** Set of all accounts. */
export const accountsKey = 'crowdbeat::accounts';

/** Properties that let this host or origin in, for the preflight that can't name a property. */
export const originIndexKey = (entry: string): string => `crowdbeat::origins::${escapeName(entry)}`;

/** Counts failed logins; `who` is made by the caller and holds no name longer than a hash. */
export const loginTriesKey = (who: string): string => `crowdbeat::login_tries::${escapeName(who)}`;
