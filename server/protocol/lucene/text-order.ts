/**
 * The order of texts in ranges and sorts: by code point, which is also the order of their UTF-8 bytes and so
 * Redis's own. JavaScript's `<` goes by UTF-16 units and puts U+1F600 before U+FF5E.
 */
export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  let at = 0;
  while (at < length && a.charCodeAt(at) === b.charCodeAt(at)) at += 1;
  if (at === length) return a.length - b.length;
  return liftSurrogate(a.charCodeAt(at)) - liftSurrogate(b.charCodeAt(at));
}

/** Surrogates stand for code points above all others of 16 bits. */
function liftSurrogate(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}
