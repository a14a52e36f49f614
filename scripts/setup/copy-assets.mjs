/**
 * The second half of `npm run build`: what the compiler leaves to do. Copies what isn't TypeScript, takes
 * away what has no source any more, makes the program executable, and writes the stamp dist/.built last,
 * so that only a whole build has one.
 */
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

const sourceFolders = ['server', 'sim', 'bench', 'scripts'];
const assetPattern = /\.(?:lua|json|css|client\.mjs)$/;
const testPattern = /\.(?:test|testing)\.ts$/;

const root = resolve(process.argv[2] ?? join(import.meta.dirname, '../..'));
const dist = join(root, 'dist');

/**
 * Every file below a folder, as paths relative to the root. A folder that isn't there has none.
 * @param {string} folder
 * @returns {string[]}
 */
function filesBelow(folder) {
  if (!existsSync(folder)) return [];
  const entries = readdirSync(folder, { withFileTypes: true, recursive: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)));
}

/** @param {string} path relative to the root */
function copyAsset(path) {
  const target = join(dist, path);
  mkdirSync(dirname(target), { recursive: true });
  copyFileSync(join(root, path), target);
}

/**
 * Does a file in dist come from a source that is still there, and that is built?
 * @param {string} path relative to dist
 */
function hasSource(path) {
  const source = path.replace(/\.(?:js|js\.map|d\.ts|d\.ts\.map)$/, '.ts');
  return existsSync(join(root, source)) && !testPattern.test(source);
}

const sources = sourceFolders.flatMap((folder) => filesBelow(join(root, folder)));
for (const path of sources) if (assetPattern.test(path)) copyAsset(path);

for (const folder of sourceFolders) {
  const built = filesBelow(join(dist, folder)).map((path) => relative('dist', path));
  for (const path of built) if (!hasSource(path)) rmSync(join(dist, path));
}
removeEmptyFolders(dist);

const program = join(dist, 'scripts/crowdbeat.js');
if (existsSync(program)) chmodSync(program, 0o755);
writeFileSync(join(dist, '.built'), '');

/** @param {string} folder */
function removeEmptyFolders(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) removeEmptyFolders(join(folder, entry.name));
  }
  if (folder !== dist && readdirSync(folder).length === 0) rmdirSync(folder);
}
