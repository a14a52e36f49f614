/**
 * `npm run check`: types, Biome and our own checks, side by side, in seconds. Runs before a build. Prints
 * one line per finding, `path:line: rule: message`, which terminals make clickable; ends with 1 on any.
 */
import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { ownChecks } from './own-checks.mjs';

const root = resolve(import.meta.dirname, '../..');
const folders = ['server', 'sim', 'bench', 'scripts'];
/** Programs without an extension are shell scripts. */
const checkedFile = /(?:\.(?:ts|mts|mjs|js|lua|sh)|\/[^./]+)$/;

/** @typedef {{ path: string, line: number, rule: string, message: string }} Report */

/**
 * @param {string} program below node_modules/.bin
 * @param {string[]} args
 * @returns {Promise<{ code: number, output: string }>}
 */
function run(program, args) {
  const path = join(root, 'node_modules/.bin', program);
  return new Promise((done) => {
    execFile(path, args, { cwd: root, maxBuffer: 64 << 20 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 1;
      done({ code, output: error !== null && stdout === '' ? stderr || error.message : stdout });
    });
  });
}

/** `path(12,5): error TS2345: message`, with further lines indented. @returns {Promise<Report[]>} */
async function checkTypes() {
  const { code, output } = await run('tsc', ['-p', 'tsconfig.json', '--noEmit', '--pretty', 'false']);
  const found = [...output.matchAll(/^(.+?)\((\d+),\d+\): error (TS\d+): (.*)$/gm)].map(
    ([, path = '', line, rule = '', message = '']) => ({ path, line: Number(line), rule, message }),
  );
  return orFailure('tsc', 'tsconfig.json', code, output, found);
}

/** @returns {Promise<Report[]>} */
async function checkStyle() {
  const { code, output } = await run('biome', ['check', '.', '--reporter=json', '--max-diagnostics=none']);
  const found = parseDiagnostics(output)
    .filter(({ severity }) => severity === 'error' || severity === 'fatal')
    .map(({ location, category, message }) => {
      const line = Math.max(location?.start?.line ?? 1, 1);
      const told = category === 'format' ? 'not formatted; npm run format does it' : message;
      return { path: location?.path ?? 'biome.json', line, rule: `biome ${category}`, message: told };
    });
  return orFailure('biome', 'biome.json', code, output, found);
}

/**
 * @typedef {{ location?: { path?: string, start?: { line?: number } }, severity: string, category: string,
 *   message: string }} Diagnostic
 * @param {string} output
 * @returns {Diagnostic[]}
 */
function parseDiagnostics(output) {
  try {
    return JSON.parse(output).diagnostics ?? [];
  } catch {
    // Biome failed before it looked at a file; orFailure shows what it said.
    return [];
  }
}

/**
 * A tool that fails must never look as if it had found nothing.
 * @param {string} rule @param {string} path @param {number} code @param {string} output @param {Report[]} found
 */
function orFailure(rule, path, code, output, found) {
  if (code === 0 || found.length > 0) return code === 0 ? [] : found;
  return [{ path, line: 1, rule, message: `failed with exit code ${code}: ${output.trim().slice(0, 2000)}` }];
}

/** @returns {Report[]} */
function checkOwn() {
  const files = folders.flatMap((folder) => {
    if (!existsSync(join(root, folder))) return [];
    const entries = readdirSync(join(root, folder), { withFileTypes: true, recursive: true });
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) => relative(root, join(entry.parentPath, entry.name)));
  });
  return files
    .filter((path) => checkedFile.test(path))
    .flatMap((path) => {
      const text = readFileSync(join(root, path), 'utf8');
      return Object.entries(ownChecks).flatMap(([rule, check]) =>
        check(path, text).map((found) => ({ path, rule, ...found })),
      );
    });
}

const [types, style, own] = await Promise.all([checkTypes(), checkStyle(), checkOwn()]);
const reports = [...types, ...style, ...own];
reports.sort((a, b) => a.path.localeCompare(b.path) || a.line - b.line);
for (const { path, line, rule, message } of reports) console.log(`${path}:${line}: ${rule}: ${message}`);
console.log(reports.length === 0 ? 'checks: fine' : `checks: ${reports.length} findings`);
process.exitCode = reports.length === 0 ? 0 : 1;
