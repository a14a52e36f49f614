/** Nothing switched off in silence: no tests left out, no types given up, no work left lying. */
import { codeOf, commentsOf, findAll, isScript, isTest } from './source.mjs';

const testCall = String.raw`\b(?:it|test|describe|suite)(?:\.\w+)*`;
const onlyPattern = new RegExp(`${testCall}\\.only\\b`, 'g');
const todoPattern = new RegExp(`${testCall}\\.todo\\b`, 'g');
const skipPattern = new RegExp(`${testCall}\\.(?:skip|skipIf|runIf)\\b`, 'g');
const anyPattern = /\bas\s+any\b|:\s*any\b(?!\s*[.(])|<\s*any\b|,\s*any\s*>|\bany\[\]/g;
const directivePattern = /@ts-(?:ignore|nocheck)\b/g;
const markerPattern = /\b(?:TODO|FIXME|XXX)\b/g;

/** @type {import('./source.mjs').Check} */
export function checkTests(path, text) {
  if (!isScript(path)) return /\.json$/.test(path) ? [] : findAll(text, markerPattern, leftover);
  const comments = commentsOf(text);
  const findings = [
    ...findAll(comments, markerPattern, leftover),
    ...findAll(comments, directivePattern, ([name]) => `${name}: use @ts-expect-error with the reason`),
  ];
  const code = codeOf(text);
  if (/\.m?ts$/.test(path))
    findings.push(...findAll(code, anyPattern, () => 'any: use unknown and narrow it'));
  if (isTest(path)) findings.push(...switchedOff(code, comments));
  return findings;
}

/** @param {RegExpExecArray} match */
function leftover([marker]) {
  return `${marker}: do it, or open an issue`;
}

/** @param {string} code @param {string} comments */
function switchedOff(code, comments) {
  const commentLines = comments.split('\n');
  const isExplained = (/** @type {number} */ line) =>
    [commentLines[line - 1], commentLines[line - 2]].some((comment) => (comment ?? '').trim() !== '');
  return [
    ...findAll(code, onlyPattern, ([name]) => `${name}: leaves out the other tests`),
    ...findAll(code, todoPattern, ([name]) => `${name}: write the test, or open an issue`),
    ...findAll(code, skipPattern, ([name]) => `${name}: needs a comment that says why`).filter(
      ({ line }) => !isExplained(line),
    ),
  ];
}
