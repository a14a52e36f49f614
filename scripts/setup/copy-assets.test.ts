import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'crowdbeat-assets-'));
  mkdirSync(join(root, 'dist'));
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

function write(path: string, text = ''): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

function copyAssets(): void {
  execFileSync(process.execPath, [join(import.meta.dirname, 'copy-assets.mjs'), root]);
}

function built(): string[] {
  const entries = readdirSync(join(root, 'dist'), { recursive: true, withFileTypes: true });
  return entries.map((entry) => join(entry.parentPath, entry.name).slice(join(root, 'dist/').length)).sort();
}

it('copies scripts and data to the same place, and nothing else', () => {
  for (const path of ['server/store/commit.lua', 'sim/crowd/places.json', 'server/a.ts', 'bench/notes.md'])
    write(path, path);
  copyAssets();
  expect(built()).toEqual([
    '.built',
    'server',
    'server/store',
    'server/store/commit.lua',
    'sim',
    'sim/crowd',
    'sim/crowd/places.json',
  ]);
  expect(readFileSync(join(root, 'dist/server/store/commit.lua'), 'utf8')).toBe('server/store/commit.lua');
});

it('copies a changed asset again', () => {
  write('server/a.lua', 'return 1');
  copyAssets();
  write('server/a.lua', 'return 2');
  copyAssets();
  expect(readFileSync(join(root, 'dist/server/a.lua'), 'utf8')).toBe('return 2');
});

it('takes away what has no source any more, and the folders that this leaves empty', () => {
  write('server/kept.ts');
  write('sim/a.test.ts');
  for (const path of ['server/kept.js', 'server/kept.js.map', 'server/gone.js', 'server/old/gone.js.map'])
    write(`dist/${path}`);
  for (const path of ['server/gone.lua', 'sim/a.test.js', '.tsbuildinfo']) write(`dist/${path}`);
  copyAssets();
  expect(built()).toEqual(['.built', '.tsbuildinfo', 'server', 'server/kept.js', 'server/kept.js.map']);
});

it('makes the program executable', () => {
  write('scripts/crowdbeat.ts');
  write('dist/scripts/crowdbeat.js');
  copyAssets();
  expect(statSync(join(root, 'dist/scripts/crowdbeat.js')).mode & 0o111).toBe(0o111);
});
