/** A page as one HTML file: its tables as they are, its charts as figures for the script that is inside. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Block, Chart, Page, Section, Table, Tiles } from './model.ts';

export function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

/** Nothing may be fetched, from anywhere. */
const policy = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:";

/** @param madeAt when, as ISO 8601 */
export function pageHtml(page: Page, madeAt: string): string {
  const charts = page.sections.flatMap(({ blocks }) => blocks.filter((block) => block.kind === 'chart'));
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>${escapeHtml(page.title)}</title>
<style>${packageText('uplot', 'dist/uPlot.min.css')}</style>
<style>${besides('report.css')}</style>
</head>
<body>
<header>
<h1>${escapeHtml(page.title)}</h1>
<p class="headline ${page.tone}">${escapeHtml(page.headline)}</p>
<div class="tools"><input id="find" type="search" placeholder="Filter everything: p99, view, audit …" aria-label="Filter">
<button id="theme" type="button">Light or dark</button></div>
<nav>${page.sections.map(({ id, title }) => `<a href="#${escapeHtml(id)}">${escapeHtml(title)}</a>`).join('')}</nav>
</header>
<main>
${page.sections.map(sectionHtml).join('\n')}
<p id="nothing" hidden>Nothing matches the filter.</p>
</main>
<footer>Made ${escapeHtml(madeAt)} by crowdbeat. This file needs no network.</footer>
<script id="charts" type="application/json">${scriptJson(charts)}</script>
<script>${packageText('uplot', 'dist/uPlot.iife.min.js')}</script>
<script>${besides('report.client.mjs')}</script>
</body>
</html>
`;
}

function sectionHtml({ id, title, about, blocks }: Section): string {
  return `<section id="${escapeHtml(id)}"><h2><a href="#${escapeHtml(id)}">${escapeHtml(title)}</a></h2>
<p class="about">${escapeHtml(about)}</p>
<div class="blocks">${blocks.map(blockHtml).join('\n')}</div></section>`;
}

function blockHtml(block: Block): string {
  if (block.kind === 'tiles') return tilesHtml(block);
  if (block.kind === 'table') return tableHtml(block);
  if (block.kind === 'chart') return chartHtml(block);
  const { id, title, svg } = block;
  return `<figure id="${escapeHtml(id)}" class="find wide"><figcaption>${anchor(id, title)}</figcaption>${svg}</figure>`;
}

function anchor(id: string, title: string): string {
  return `<a href="#${escapeHtml(id)}">${escapeHtml(title)}</a>`;
}

function tilesHtml({ tiles }: Tiles): string {
  const items = tiles.map(
    ({ name, value, tone = 'plain' }) =>
      `<div class="tile find ${tone}"><dt>${escapeHtml(name)}</dt><dd>${escapeHtml(value)}</dd></div>`,
  );
  return `<dl class="tiles wide">${items.join('')}</dl>`;
}

/** The plot is added by the script; what it shows can be found by the names of its series without it. */
function chartHtml({ id, title, series, y, strip }: Chart): string {
  const words = series.map(({ label }) => escapeHtml(label)).join(' ');
  const log = y.log === true ? '<label><input type="checkbox" checked> log</label>' : '';
  const note = strip === undefined ? '' : `<p class="note">strip: ${escapeHtml(strip.label)}</p>`;
  const head = `<figure id="${escapeHtml(id)}" class="chart find" data-words="${words}">`;
  return `${head}<figcaption>${anchor(id, title)}${log}</figcaption><div class="plot"></div>${note}</figure>`;
}

function tableHtml({ id, columns, rows, numeric = [], tones = [] }: Table): string {
  const kind = (at: number): string => (numeric.includes(at) ? ' class="number"' : '');
  const head = columns.map((column, at) => `<th${kind(at)}>${escapeHtml(column)}</th>`).join('');
  const body = rows.map((row, index) => {
    const tone = tones[index] ?? 'plain';
    const cells = row.map((cell, at) => `<td${kind(at)}>${escapeHtml(cell)}</td>`).join('');
    return `<tr class="find ${tone}">${cells}</tr>`;
  });
  const table = `<table><thead><tr>${head}</tr></thead><tbody>${body.join('\n')}</tbody></table>`;
  return `<div class="table wide" id="${escapeHtml(id)}">${table}</div>`;
}

/** JSON inside a script element ends where the text says so, if it may say `</script`. */
function scriptJson(value: unknown): string {
  return JSON.stringify(value).replaceAll('<', '\\u003c');
}

function packageText(name: string, path: string): string {
  return readFileSync(createRequire(import.meta.url).resolve(`${name}/${path}`), 'utf8');
}

function besides(name: string): string {
  return readFileSync(join(import.meta.dirname, name), 'utf8');
}
