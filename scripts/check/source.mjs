/**
 * Splits TypeScript and JavaScript into code, strings and comments, so that a check can look into one
 * without being fooled by the others. What is taken out becomes spaces: every offset and line stays.
 *
 * A finding is { line, message }; a check is a pure function (path, text) => Finding[].
 * @typedef {{ line: number, message: string }} Finding
 * @typedef {(path: string, text: string) => Finding[]} Check
 */

/** One token that is no plain code: comment, string, template piece, regular expression. */
const tokenStart = /\/\/|\/\*|['"`]|\/|[{}]/g;

/** Before a slash, these end a value, so that it divides; otherwise it begins a regular expression. */
const valueEnd = /(?:[\w$)\]}]|\+\+|--)\s*$/;
const keywordEnd = /\b(?:return|typeof|case|in|of|do|else|void|delete|throw|new|await|yield|instanceof)\s*$/;

/**
 * The text with everything but code blanked: comments, and what stands inside quotes.
 * @param {string} text
 */
export function codeOf(text) {
  return split(text).code;
}

/**
 * The text with everything but comments blanked.
 * @param {string} text
 */
export function commentsOf(text) {
  return split(text).comments;
}

/**
 * @param {string} text
 * @returns {{ code: string, comments: string }}
 */
function split(text) {
  const comments = /** @type {[number, number][]} */ ([]);
  const hidden = /** @type {[number, number][]} */ ([]);
  const templates = /** @type {number[]} */ ([]); // brace depth at each open ${
  let depth = 0;
  tokenStart.lastIndex = 0;
  for (let match = tokenStart.exec(text); match !== null; match = tokenStart.exec(text)) {
    const start = match.index;
    const token = match[0];
    let end = start + token.length;
    if (token === '{') depth++;
    else if (token === '//' || token === '/*') {
      end = token === '//' ? indexOrEnd(text, '\n', end) : indexOrEnd(text, '*/', end) + 2;
      comments.push([start, end]);
    } else if (token === '/') {
      if (isRegexStart(text, start)) end = endOfRegex(text, end);
      hidden.push([start + 1, end]);
    } else if (token === '`' || (token === '}' && templates.at(-1) === depth)) {
      if (token === '}') templates.pop();
      end = endOfTemplate(text, end);
      hidden.push([start + 1, end - 1]);
      if (text[end - 1] === '{') templates.push(depth);
    } else if (token === '}') depth--;
    else {
      end = endOfString(text, end, token);
      hidden.push([start + 1, end - 1]);
    }
    tokenStart.lastIndex = end;
  }
  const code = blank(text, [...comments, ...hidden]);
  return { code, comments: blank(text, outside(comments, text.length)) };
}

/** @param {string} text @param {string} what @param {number} from */
function indexOrEnd(text, what, from) {
  const at = text.indexOf(what, from);
  return at < 0 ? text.length : at;
}

/** @param {string} text @param {number} at */
function isRegexStart(text, at) {
  const before = text.slice(Math.max(0, at - 40), at);
  return !valueEnd.test(before) || keywordEnd.test(before);
}

/** @param {string} text @param {number} from just after the slash; gives the offset of the closing slash */
function endOfRegex(text, from) {
  let inClass = false;
  for (let at = from; at < text.length && text[at] !== '\n'; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === '[') inClass = true;
    else if (text[at] === ']') inClass = false;
    else if (text[at] === '/' && !inClass) return at + 1;
  }
  return from;
}

/** @param {string} text @param {number} from @param {string} quote */
function endOfString(text, from, quote) {
  for (let at = from; at < text.length && text[at] !== '\n'; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === quote) return at + 1;
  }
  return from;
}

/** Just after the closing backtick, or just after the next `${`. @param {string} text @param {number} from */
function endOfTemplate(text, from) {
  for (let at = from; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === '`') return at + 1;
    else if (text[at] === '$' && text[at + 1] === '{') return at + 2;
  }
  return text.length;
}

/** @param {[number, number][]} ranges @param {number} length @returns {[number, number][]} */
function outside(ranges, length) {
  const starts = [0, ...ranges.map(([, end]) => end)];
  return starts.map((start, index) => [start, ranges[index]?.[0] ?? length]);
}

/** @param {string} text @param {[number, number][]} ranges */
function blank(text, ranges) {
  let blanked = '';
  let at = 0;
  for (const [start, end] of ranges.sort((a, b) => a[0] - b[0])) {
    if (end <= at) continue;
    blanked += text.slice(at, start) + text.slice(Math.max(at, start), end).replace(/[^\n]/g, ' ');
    at = end;
  }
  return blanked + text.slice(at);
}

/** @param {string} text @param {number} offset */
export function lineAt(text, offset) {
  return text.slice(0, offset).split('\n').length;
}

/**
 * A finding for every match of a pattern (with the flag g) in a text.
 * @param {string} text @param {RegExp} pattern @param {(match: RegExpExecArray) => string | undefined} describe
 * @returns {Finding[]}
 */
export function findAll(text, pattern, describe) {
  return [...text.matchAll(pattern)].flatMap((match) => {
    const message = describe(match);
    return message === undefined ? [] : [{ line: lineAt(text, match.index), message }];
  });
}

const importPattern = /\b(?:from|import|require)\s*\(?\s*(['"`])/g;

/**
 * Every module that a file names: static, dynamic, type-only, re-exported, required.
 * @param {string} text
 * @returns {{ specifier: string, line: number }[]}
 */
export function importsOf(text) {
  return [...codeOf(text).matchAll(importPattern)].map((match) => {
    const start = match.index + match[0].length;
    const specifier = text.slice(start, text.indexOf(match[1] ?? "'", start));
    return { specifier, line: lineAt(text, start) };
  });
}

/** @param {string} path */
export function isTest(path) {
  return /\.(?:test|testing)\.ts$/.test(path);
}

/** @param {string} path */
export function isScript(path) {
  return /\.(?:ts|mts|mjs|js)$/.test(path);
}
