/**
 * Where a text stops being JSON. `JSON.parse` does not always say (it quotes short texts instead of giving
 * a position), so a body that it refused is read once more here. Not on the path of a good request.
 *
 * A stack of open brackets instead of recursion: a megabyte of `[` must not overflow the call stack.
 */
const whitespace = /[ \t\n\r]*/y;
const escapeSequence = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;
const scalar = /true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;

/**
 * Position (in UTF-16 units, from 0) of the first token that can't stand where it stands; the text's length if
 * it ends too early. Undefined if the text is JSON.
 */
export function jsonErrorPosition(text: string): number | undefined {
  const open: ('[' | '{')[] = [];
  let at = skip(whitespace, text, 0);
  let wants: 'value' | 'value or ]' | 'name or }' | 'name' | 'comma or close' = 'value';
  for (;;) {
    const character = text[at];
    const inside = open.at(-1);
    if (wants === 'comma or close') {
      if (inside === undefined) return at === text.length ? undefined : at;
      if (character === ',') wants = inside === '[' ? 'value' : 'name';
      else if (character === (inside === '[' ? ']' : '}')) open.pop();
      else return at;
      at += 1;
    } else if (character === '}' && wants === 'name or }') {
      open.pop();
      wants = 'comma or close';
      at += 1;
    } else if (wants === 'name' || wants === 'name or }') {
      const nameEnd = stringEnd(text, at);
      if (nameEnd === at) return at;
      at = skip(whitespace, text, nameEnd);
      if (text[at] !== ':') return at;
      wants = 'value';
      at += 1;
    } else if (character === ']' && wants === 'value or ]') {
      open.pop();
      wants = 'comma or close';
      at += 1;
    } else if (character === '[' || character === '{') {
      open.push(character);
      wants = character === '[' ? 'value or ]' : 'name or }';
      at += 1;
    } else {
      const end = character === '"' ? stringEnd(text, at) : skip(scalar, text, at);
      if (end === at) return at;
      wants = 'comma or close';
      at = end;
    }
    at = skip(whitespace, text, at);
  }
}

/** End of the pattern's match at `at`, or `at` if it does not match there. */
function skip(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : at;
}

/** Position after the string that starts at `at`, or `at` if there is no whole string. A loop: a string may be long. */
function stringEnd(text: string, at: number): number {
  if (text[at] !== '"') return at;
  let next = at + 1;
  while (next < text.length) {
    const code = text.charCodeAt(next);
    if (code === 0x22) return next + 1;
    if (code < 0x20) return at;
    const end = code === 0x5c ? skip(escapeSequence, text, next) : next + 1;
    if (end === next) return at;
    next = end;
  }
  return at;
}
