/** Valid requests of every route: what the fuzzer spoils. They name few visitors, sessions and properties. */
import { gzipSync } from 'node:zlib';
import type { Random } from './random.ts';

/** A request before it is written as bytes. */
export interface FuzzRequest {
  method: string;
  target: string;
  version: string;
  headers: [name: string, value: string][];
  body: Buffer;
}

/** Nothing of the fuzzer may land in the property that the crowd is counted in. */
const propertyOf = (random: Random): string => `fuzz/p${random.below(20)}`;

const types = ['view', 'heartbeat', 'click', 'signup', 'login', 'interest', 'made-up'];
const nowMs = Date.UTC(2026, 10, 21, 12);

export function validEvent(random: Random): Record<string, unknown> {
  const session = random.below(500);
  const event: Record<string, unknown> = {
    event: { type: random.pick(types), seq: 1 + random.below(2000), time: nowMs },
    session: { id: `fs${session}` },
    visitor: { id: `fv${random.below(1000)}` },
  };
  if (random.oneIn(3)) event['source'] = { name: 'mail', campaign: `c${random.below(5)}` };
  if (random.oneIn(3)) event['page'] = { path: `/p/${random.below(50)}`, title: 'ä — €' };
  if (random.oneIn(6)) event['user'] = { id: `u${random.below(50)}` };
  return event;
}

function request(random: Random, method: string, target: string, body = '', type = ''): FuzzRequest {
  const headers: [string, string][] = [
    ['host', '127.0.0.1'],
    ['x-crowdbeat-property', propertyOf(random)],
  ];
  if (type !== '') headers.push(['content-type', type]);
  const bytes = Buffer.from(body);
  if (method === 'POST') headers.push(['content-length', String(bytes.length)]);
  return { method, target, version: 'HTTP/1.1', headers, body: bytes };
}

const json = 'application/json';

function write(random: Random): FuzzRequest {
  const events = Array.from({ length: 1 + random.below(4) }, () => validEvent(random));
  switch (random.below(8)) {
    case 0:
      return request(random, 'POST', '/write', JSON.stringify({ items: events }), json);
    case 1:
      return request(
        random,
        'POST',
        '/write',
        events.map((event) => JSON.stringify(event)).join('\n'),
        'application/x-ndjson',
      );
    case 2:
      return request(
        random,
        'POST',
        '/write',
        `items=${encodeURIComponent(JSON.stringify(events))}&async=true`,
        'application/x-www-form-urlencoded',
      );
    case 3:
      return gzipped(request(random, 'POST', '/write', JSON.stringify(events), json));
    case 4:
      return request(random, 'POST', '/write?async=true', JSON.stringify(events), 'text/plain');
    default:
      return request(random, 'POST', '/write', JSON.stringify(events[0]), json);
  }
}

/** The same request with its body compressed. */
export function gzipped(plain: FuzzRequest): FuzzRequest {
  const body = gzipSync(plain.body, { level: 1 });
  const headers = plain.headers.filter(([name]) => name !== 'content-length');
  headers.push(['content-encoding', 'gzip'], ['content-length', String(body.length)]);
  return { ...plain, headers, body };
}

const questions: readonly ((random: Random) => string)[] = [
  () => '/count?event=view&bucket=2026-11-21-12',
  (random) => `/count?source=mail&campaign=c${random.below(5)}&bucket=2026-11`,
  () => '/totals',
  () => '/health',
  () => '/ping',
  () => '/metrics',
  () => '/schema',
  () => '/store/list',
  (random) => `/user-record?id=u${random.below(50)}`,
  () => '/session/list?store=stash',
  () => '/session/query?store=stash&q=*:*&rows=10',
  () => '/session/count?store=stash',
  (random) =>
    `/track/it?trackr_event_type=view&config_cookies_v_visitor=fv${random.below(1000)}&hostname=a.example&path=/x`,
];

const visitorQuestions: readonly object[] = [
  { uniques: { and: [{ event: 'view' }, { not: { source: 'mail' } }] } },
  { uniques: { minus: [{ all: true }, { or: [{ event: 'click' }, { source: 'mail', campaign: 'c1' }] }] } },
  { newReturning: true },
];

const orders: readonly ((random: Random) => [target: string, body: string])[] = [
  (random) => [
    '/session/update',
    JSON.stringify({ store: 'stash', ops: [{ upsert: [validEvent(random)] }] }),
  ],
  (random) => [
    '/session/update',
    JSON.stringify({ store: 'stash', ops: [{ delete: [`fs${random.below(500)}`] }] }),
  ],
  () => ['/session/add?name=stash', ''],
  () => ['/schema/add', JSON.stringify({ fields: [{ name: 'page.title', type: 'text' }] })],
  (random) => ['/visitors/query', JSON.stringify({ bucket: '2026-11-21', ...random.pick(visitorQuestions) })],
];

/** These hash a password each, 50 ms and more: a few of them are enough. */
const dear: readonly string[] = [
  '/auth?username=fuzz&password=fuzz',
  '/user/add?username=fuzz&password=fuzz-fuzz',
  '/user/password?username=fuzz&password=fuzz-fuzz',
];

export function validRequest(random: Random): FuzzRequest {
  if (random.oneIn(2000)) return request(random, 'POST', random.pick(dear));
  switch (random.below(10)) {
    case 0:
    case 1:
      return request(random, 'GET', random.pick(questions)(random));
    case 2: {
      const [target, body] = random.pick(orders)(random);
      return request(random, 'POST', target, body, json);
    }
    default:
      return write(random);
  }
}

export function bytesOf({ method, target, version, headers, body }: FuzzRequest): Buffer {
  let head = `${method} ${target} ${version}\r\n`;
  for (const [name, value] of headers) head += `${name}: ${value}\r\n`;
  return Buffer.concat([Buffer.from(`${head}\r\n`, 'latin1'), body]);
}
