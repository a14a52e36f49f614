/**
 * How a visitor's uuid is written in the hashes `P::vid:<bucket>`: a canonical uuid as its 16 bytes (36
 * characters would more than double a visitor's memory), any other text with a prefix.
 *
 *   0e3f…-…  (lower-case, 8-4-4-4-12)        16 bytes
 *   any other text                           't' + UTF-8
 *   the same, where that were 16 bytes       'u' + UTF-8 + 'u'      (17 bytes)
 *   a text that UTF-8 cannot carry           'w' + UTF-16           (an odd number of bytes)
 *
 * Two different texts never give equal bytes: the length tells uuids apart, the first byte the others.
 */
const uuidBytes = 16;
const bucketCount = 32_768;

export function visitorField(visitorId: string): Buffer {
  const uuid = parseUuid(visitorId);
  if (uuid !== undefined) return uuid;
  if (hasLoneSurrogate(visitorId))
    return Buffer.concat([Buffer.from('w'), Buffer.from(visitorId, 'utf16le')]);
  const text = Buffer.from(`t${visitorId}`);
  return text.length === uuidBytes ? Buffer.from(`u${visitorId}u`) : text;
}

/** The hash that holds a field: 30 fields each at a million visitors, and a listpack up to 4 million. */
export function visitorBucket(field: Buffer): number {
  let hash = 0x811c9dc5;
  for (const byte of field) hash = Math.imul(hash ^ byte, 0x01000193);
  // FNV's low bits depend on the low bits of its input alone; folding brings the high ones in.
  return (hash ^ (hash >>> 15)) & (bucketCount - 1);
}

function parseUuid(text: string): Buffer | undefined {
  if (text.length !== 36) return undefined;
  const bytes = Buffer.allocUnsafe(uuidBytes);
  let at = 0;
  for (let i = 0; i < 36; i += 2) {
    if (i === 8 || i === 13 || i === 18 || i === 23) {
      if (text.charCodeAt(i) !== 0x2d) return undefined;
      i++;
    }
    const high = nibble(text.charCodeAt(i));
    const low = nibble(text.charCodeAt(i + 1));
    if (high < 0 || low < 0) return undefined;
    bytes[at++] = (high << 4) | low;
  }
  return bytes;
}

/** Lower-case only: another spelling is another text, and must stay another visitor. */
function nibble(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  return code >= 0x61 && code <= 0x66 ? code - 0x57 : -1;
}

function hasLoneSurrogate(text: string): boolean {
  for (const character of text) {
    const code = character.charCodeAt(0);
    if (character.length === 1 && code >= 0xd800 && code <= 0xdfff) return true;
  }
  return false;
}
