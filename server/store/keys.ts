/**
 * The only file that knows what a key is called. With P = `{account::property}` (braces: a cluster hashes
 * what they hold, so all keys of a property share one slot):
 *
 *   P::evt:NAME::T[::sK]                 visitors with an event NAME in the time bucket T
 *   P::src:S::cpg:C::T[::sK]             visitors with an event from source S and campaign C
 *   P::all[::sK]                         known visitors
 *   P::ids  P::vid:B                     next dense visitor id; visitor to id, in 32,768 hashes
 *   P::sess::UUID                        a session's home: its day
 *   P::YYYY-MM-DD::session_UUID          session info and windows of seen numbers;  P::session_index::YYYY-MM-DD  their list
 *   P::seg:K::docs  P::seg:K::dir        stored documents of the ordinals K*65,536 and up; their directory
 *   P::totals  P::registry  P::generation  P::eids::YYYY-MM-DD
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

/** `evt:NAME`: how an event type is called in keys and in the registry. */
export const eventKeyName = (type: string): string => `evt:${escapeName(type)}`;

/** `src:S::cpg:C`: how a source and its campaign are called in keys and in the registry. */
export const sourceKeyName = (source: string, campaign: string | undefined): string =>
  `src:${escapeName(source)}::cpg:${campaign === undefined ? noCampaign : escapeName(campaign)}`;

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

  documents(ordinalSegment: number): string {
    return `${this.#prefix}seg:${ordinalSegment}::docs`;
  }

  directory(ordinalSegment: number): string {
    return `${this.#prefix}seg:${ordinalSegment}::dir`;
  }
}

/** A bitmap's key for a segment of dense visitor ids. */
export const segmentKey = (segmentZeroKey: string, segment: number): string =>
  segment === 0 ? segmentZeroKey : `${segmentZeroKey}::s${segment}`;
