import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { readTemplate, readTemplateFile } from './cli-env-template.ts';

test('the templates of the package are read by their bare names', () => {
  const folder = new URL('../environments/', import.meta.url);
  const stores = readdirSync(folder).map((file) => [file, readTemplateFile(file).sessionStores]);
  expect(Object.fromEntries(stores)).toEqual({
    'addSessionStore.json': ['stash'],
    'events.json': [],
    'eventsSessionStore.json': ['stash'],
    'eventsSessionStores.json': ['stash'],
  });
});

test('a path is never looked for among them, and what is missing is said with what there is', () => {
  expect(() => readTemplateFile('elsewhere/events.json')).toThrow(/^elsewhere\/events\.json: can’t be read/);
  expect(() => readTemplateFile('event.json')).toThrow(/no path: addSessionStore\.json, events\.json/);
});

test('shards, replicas and either list may be absent', () => {
  const text = '{"environment": {"sessionStores": [{"store": "stash"}, {"store": "cart", "shards": 1}]}}';
  expect(readTemplate(text, 'f')).toEqual({ sessionStores: ['stash', 'cart'] });
  expect(readTemplate('{"environment": {}}', 'f')).toEqual({ sessionStores: [] });
});

const sessionStores = (...stores: unknown[]) => ({ environment: { sessionStores: stores } });

test.each<[unknown, string]>([
  [[], 'f: must be an object with environment, got []'],
  [{}, 'f: environment must be an object with stores, sessionStores, got nothing'],
  [{ environment: {}, users: 1 }, 'f: knows environment, got "users"'],
  [{ environment: { sessions: [] } }, 'f: environment knows stores, sessionStores, got "sessions"'],
  [{ environment: { stores: {} } }, 'f: environment.stores must be a list, got {}'],
  [
    { environment: { stores: [{ store: 'events' }] } },
    'f: environment.stores[0].store must be "index", the one store there is, got "events"',
  ],
  [
    sessionStores('stash'),
    'f: environment.sessionStores[0] must be an object with store, shards, replicas, got "stash"',
  ],
  [
    sessionStores({ store: 'a' }, { store: '' }),
    'f: environment.sessionStores[1].store must be a session store\'s name, a text of 1 to 128 characters, got ""',
  ],
  [
    sessionStores({ store: 'a', shards: 2 }),
    'f: environment.sessionStores[0].shards must be 1: a property lies whole in one slot of Redis, got 2',
  ],
  [
    sessionStores({ store: 'a', replicas: '1' }),
    'f: environment.sessionStores[0].replicas must be 1: further copies are made by Redis itself (docs/cluster.md), got "1"',
  ],
  [
    sessionStores({ store: 'a' }, { store: 'a' }),
    'f: environment.sessionStores names a store twice, got "a"',
  ],
])('%j is refused with the place, the rule and the value', (file, message) => {
  expect(() => readTemplate(JSON.stringify(file), 'f')).toThrow(expect.objectContaining({ message }));
});

test('what is no JSON is refused', () => {
  expect(() => readTemplate('{"environment": [\\\n]}', 'add.json')).toThrow(/^add\.json: is not JSON: /);
});
