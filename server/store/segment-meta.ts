/**
 * What is known of a sealed segment. Of each there is a short entry in the hash `P::sealed`, which is read with
 * every question, and a longer text in `P::seg:K::meta`, which is read once:
 *
 *   P::sealed        K -> token:count:page events:newest receipt       #v -> a number that grows with every change
 *                    3 -> 9f86d081884c7d65:65536:512:1795264215000
 *   P::seg:3::meta   {"fields":["event.type",…],"lifted":["visitor.id",…],"ranges":[["event.time",min,max],…]}
 *
 * The token is another one for each sealing of each segment of each property, so that whoever remembers a column
 * by it never takes it for the column of a property that was deleted and made again.
 */

/** The field of `P::sealed` that is no segment. */
export const sealedVersionField = '#v';

export interface SealedEntry {
  readonly token: string;
  /** Events. */
  readonly count: number;
  /** Events of each page but the last. */
  readonly pageEvents: number;
  /** Latest `_m1.receivedUTC`, epoch ms; undefined: no event has one, and the segment can't be dated. */
  readonly newestMs: number | undefined;
}

export interface SegmentMeta {
  /** All fields that columns were made of; one without a column has no value in the segment. */
  readonly fields: readonly string[];
  /** Fields whose values were taken out of the documents' texts; see query/events/document-pages.ts. */
  readonly lifted: readonly string[];
  /** Field, least and greatest point. */
  readonly ranges: readonly (readonly [field: string, min: number, max: number])[];
}

export function formatSealedEntry({ token, count, pageEvents, newestMs }: SealedEntry): string {
  return `${token}:${count}:${pageEvents}:${newestMs ?? ''}`;
}

/** Throws an Error if the text is no entry. */
export function parseSealedEntry(text: string): SealedEntry {
  const [token = '', count = '', pageEvents = '', newest = ''] = text.split(':');
  const entry = { token, count: Number(count), pageEvents: Number(pageEvents) };
  if (token === '' || !(entry.count >= 0) || !(entry.pageEvents > 0))
    throw new Error(`sealed segment: needs token:count:page events:newest, got ${JSON.stringify(text)}`);
  return { ...entry, newestMs: newest === '' ? undefined : Number(newest) };
}

export const pagesOf = ({ count, pageEvents }: SealedEntry): number => Math.ceil(count / pageEvents);

/** Events of one page of the segment. */
export const eventsOfPage = ({ count, pageEvents }: SealedEntry, page: number): number =>
  Math.max(0, Math.min(pageEvents, count - page * pageEvents));
