/** docs/questions.md: its crowd is sent to a real collector, its questions are asked. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ManualClock } from '../base/clock.ts';
import { writeTestDatabase } from '../ingest/enrich/geo.testing.ts';
import { flushTargetOf } from '../sessions/flush-client.ts';
import { readFlushConfig } from '../sessions/flush-config.ts';
import { flush } from '../sessions/flusher.ts';
import { startTestCollector, type TestCollector } from './collector.testing.ts';

const page = readFileSync(new URL('../../docs/questions.md', import.meta.url), 'utf8');
const day = '2026-11-21';
const atMs = (time: string): number => Date.parse(`${day}T${time}Z`);
const nowMs = atMs('17:03:30');
const timeoutMs = 25_000;
const beatMs = 5000;
const clock = new ManualClock(nowMs);
const folder = mkdtempSync(join(tmpdir(), 'crowdbeat-questions-'));
let own: TestCollector;

interface Stay {
  readonly visitor: string;
  readonly where: string;
  readonly path: string;
  readonly fromMs: number;
  readonly lastMs: number;
}

const stays = [...page.matchAll(/^\| (\w+) \| (\w+, \w+) \| (\/\w+) \| ([\d:]+) \| ([\d:]+) \|$/gm)].map(
  ([, visitor = '', where = '', path = '', from = '', last = '']): Stay => ({
    ...{ visitor, where, path },
    ...{ fromMs: atMs(from), lastMs: atMs(last) },
  }),
);

const networks: Readonly<Record<string, string>> = { 'US, CA': '198.51.100', 'DE, BE': '203.0.113' };

beforeAll(async () => {
  const geoFile = join(folder, 'geo.mmdb');
  const place = (where: string) => {
    const [country = '', state = ''] = where.split(', ');
    return { country: { iso_code: country }, subdivisions: [{ iso_code: state }] };
  };
  const places = Object.entries(networks).map(([where, network]) => [`${network}.0/24`, place(where)]);
  writeTestDatabase(geoFile, 4, Object.fromEntries(places));
  own = await startTestCollector({ clock, enrichment: { geoFile, trustProxy: 'loopback' } });
  const starts = new Map<string, number>();
  for (const stay of stays) {
    const startMs = starts.get(stay.visitor) ?? stay.fromMs;
    starts.set(stay.visitor, startMs);
    await send(stay, startMs);
  }
  clock.setWallMs(nowMs);
  const server = { server: own.collector.url, session: 'stash', timeoutSeconds: timeoutMs / 1000 };
  const target = flushTargetOf(readFlushConfig(JSON.stringify(server), 'config.json'));
  expect(await flush(target, timeoutMs, () => {})).toMatchObject({ written: 2, refused: [] });
});
afterAll(async () => {
  await own.stop();
  rmSync(folder, { recursive: true });
});

/** One page of one visitor, heartbeat by heartbeat, to the index store and to the session store. */
async function send({ visitor, where, path, fromMs, lastMs }: Stay, startMs: number): Promise<void> {
  const headers = { 'content-type': 'application/json', 'x-forwarded-for': `${networks[where]}.7` };
  for (let timeMs = fromMs; timeMs <= lastMs; timeMs += beatMs) {
    clock.setWallMs(timeMs);
    const beat = {
      event: { type: 'heartbeat', time: timeMs, seq: 1 + (timeMs - startMs) / beatMs },
      session: { id: `s-${visitor}`, start: startMs },
      visitor: { id: visitor },
      page: { path },
    };
    expect((await own.write(beat, headers)).json).toMatchObject({ accepted: 1 });
    const body = JSON.stringify({ store: 'stash', ops: [{ upsert: [beat] }] });
    const reply = await fetch(`${own.collector.url}/session/update`, { method: 'POST', headers, body });
    expect(reply.status).toBe(204);
  }
}

const examples = [
  ...page.matchAll(
    /### (.*)\n(?:(?!###)[\s\S])*?```text\n(\S+) (\S+)\n([\s\S]*?)```\n\n```json\n([\s\S]*?)```/g,
  ),
].map(([, title = '', method = '', path = '', body = '', reply = '']) => ({
  ...{ title, method, path, body },
  expected: JSON.parse(reply) as unknown,
}));

/** A parameter a line; what has no name goes on from the line before. */
function parametersOf(body: string): URLSearchParams {
  const parameters = new URLSearchParams();
  for (const line of body.trim().split(/\n(?! )/)) {
    const at = line.indexOf('=');
    parameters.set(line.slice(0, at), line.slice(at + 1));
  }
  return parameters;
}

async function ask(method: string, path: string, body: string): Promise<Record<string, unknown>> {
  const { url } = own.collector;
  const text = body.startsWith('{') ? body : parametersOf(body);
  const reply =
    method === 'GET'
      ? await fetch(`${url}${path}?${text}`)
      : await fetch(`${url}${path}`, { method, body: text });
  const json = (await reply.json()) as Record<string, unknown>;
  expect([reply.status, json]).toEqual([200, expect.anything()]);
  return json;
}

test.each(examples)('$title', async ({ method, path, body, expected }) => {
  const { range: _range, ...reply } = await ask(method, path, body);
  if (path !== '/query') expect(reply).toEqual(expected);
  else if (Array.isArray(expected))
    expect((reply['response'] as { docs: object[] }).docs.map(withoutKey)).toEqual(expected);
  else expect(reply['facets']).toEqual(expected);
});

const withoutKey = ({ _m1key, ...document }: { _m1key?: unknown }): object => document;

test('every question on the page is asked', () => {
  expect(stays.length).toBe(5);
  expect(examples.length).toBe(page.match(/^### /gm)?.length);
});

test('bitmaps and facets count the same visitors in every minute', async () => {
  const range = { from: `${day}-17-00`, to: `${day}-17-04` };
  const bitmaps = await ask('POST', '/visitors/query', JSON.stringify({ ...range, concurrent: true }));
  const span = { start: `${day}T17:00:00Z`, end: `${day}T17:04:00Z`, gap: '+1MINUTE' };
  const curved = { type: 'range', field: 'event.time', ...span, facet: { visitors: 'unique(visitor.id)' } };
  const json = JSON.stringify({ facet: { curve: curved } });
  const events = await ask('POST', '/query', `store=index\nq=type:heartbeat\nrows=0\njson=${json}`);
  const { curve } = events['facets'] as { curve: { buckets: { visitors: number }[] } };
  const concurrent = bitmaps['concurrent'] as { visitors: number }[];
  expect(curve.buckets.map(({ visitors }) => visitors)).toEqual(concurrent.map(({ visitors }) => visitors));
});
