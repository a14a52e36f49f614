/**
 * Which sequence numbers of a (session, tab) were seen: RFC 6479's anti-replay window, kept as text. The
 * commit script holds the same rules in Lua; a property test holds the two together.
 *
 *   highest[;missing]   missing: numbers or ranges, ascending, inside the window, comma between
 *
 *   1 2 3 6 seen  -> "6;4-5"      then 4 -> "6;5"      then 5 -> "6"
 *
 * In-order traffic is the digits of one number, so a session's hash stays a listpack of a few bytes, where
 * a bit map of the window would be 128 bytes per tab.
 */
import { limits } from '../protocol/limits.ts';

export type SeqStatus = 'accepted' | 'duplicate' | 'too_old' | 'seq_jump';

interface Range {
  readonly first: number;
  readonly last: number;
}

/** Judges a number and, if it is accepted, gives the window's new text. An empty text is a fresh tab. */
export function judgeSeq(
  window: string,
  seq: number,
): { readonly status: SeqStatus; readonly window: string } {
  const { highest, missing } = parseWindow(window);
  if (seq > highest + limits.seqJumpMax) return { status: 'seq_jump', window };
  if (seq > highest) {
    const first = Math.max(highest + 1, seq - limits.seqWindow + 1);
    const gap = first < seq ? [{ first, last: seq - 1 }] : [];
    return { status: 'accepted', window: formatWindow(seq, [...missing, ...gap]) };
  }
  if (seq <= highest - limits.seqWindow) return { status: 'too_old', window };
  if (!missing.some((range) => range.first <= seq && seq <= range.last))
    return { status: 'duplicate', window };
  return { status: 'accepted', window: formatWindow(highest, without(missing, seq)) };
}

function parseWindow(window: string): { highest: number; missing: Range[] } {
  const [highest = '', missing = ''] = window.split(';');
  const ranges = missing === '' ? [] : missing.split(',').map(parseRange);
  return { highest: Number(highest), missing: ranges };
}

function parseRange(text: string): Range {
  const [first, last] = text.split('-');
  return { first: Number(first), last: Number(last ?? first) };
}

function without(missing: readonly Range[], seq: number): Range[] {
  return missing.flatMap(({ first, last }) => {
    if (seq < first || seq > last) return [{ first, last }];
    return [
      { first, last: seq - 1 },
      { first: seq + 1, last },
    ].filter((range) => range.first <= range.last);
  });
}

/** Cuts what has left the window on its left. */
function formatWindow(highest: number, missing: readonly Range[]): string {
  const left = highest - limits.seqWindow + 1;
  const parts = missing
    .filter((range) => range.last >= left)
    .map(({ first, last }) => ({ first: Math.max(first, left), last }))
    .map(({ first, last }) => (first === last ? String(first) : `${first}-${last}`));
  return parts.length === 0 ? String(highest) : `${highest};${parts.join(',')}`;
}
