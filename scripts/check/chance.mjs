/** Time and chance are parameters: only one file reads the machine's clocks, and none rolls hidden dice. */
import { codeOf, findAll, isScript } from './source.mjs';

const clockFile = 'server/base/clock.ts';
const clockOrDice =
  /\b(Date\.now|performance\.(?:now|timeOrigin)|process\.hrtime|Math\.random|new Date\s*\(\s*\)|new Date(?=\s*[;,)\]]))/g;
const consolePattern = /(?<![.\w])console\.\w+/g;

/** @type {import('./source.mjs').Check} */
export function checkChance(path, text) {
  if (!isScript(path)) return [];
  const code = codeOf(text);
  const readings = findAll(
    code,
    clockOrDice,
    ([name]) => `${name}: take a Clock or a random stream as a parameter`,
  );
  const prints = findAll(code, consolePattern, ([name]) => `${name}: only scripts/ and bench/ print`);
  return [...(path === clockFile ? [] : readings), ...(/^(?:scripts|bench)\//.test(path) ? [] : prints)];
}
