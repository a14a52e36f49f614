/**
 * Stands between a crowd and a real collector and lies: loses, doubles or miscounts some of the events. An
 * audit that does not notice is worth nothing.
 */
import { createServer, type IncomingMessage, request } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Lie {
  /** Every n-th event is lied about, counted from 1. */
  readonly every: number;
  readonly kind:
    | 'none'
    | 'lose'
    | 'double'
    | 'extra visitor'
    | 'two visitors as one'
    /** Stored, and never answered, however often it is sent; `deaf`: not stored either. */
    | 'mute'
    | 'deaf'
    /** The same by a target that has no `POST /query`. */
    | 'mute without query';
}

export interface LyingProxy {
  readonly url: URL;
  readonly lies: number;
  close(): Promise<void>;
}

type Json = { event: { seq: number; type: string }; visitor: { id: string }; session: { id: string } };

const acceptedReply = '{"durability":"stored","accepted":1,"duplicates":0,"rejected":0,"results":[]}';

export async function startLyingProxy(collector: URL, lie: Lie): Promise<LyingProxy> {
  let events = 0;
  let lies = 0;
  const silenced = new Set<string>();
  const server = createServer((incoming, outgoing) => {
    void readBody(incoming).then(async (body) => {
      const isWrite = incoming.method === 'POST' && incoming.url === '/write';
      if (isWrite) events += 1;
      if (lie.kind === 'mute without query' && incoming.url === '/query')
        return outgoing.writeHead(404).end('{}');
      const isSilent = isWrite && (silenced.has(body) || events % lie.every === 0);
      if (isSilent && isSilence(lie.kind)) {
        silenced.add(body);
        if (lie.kind !== 'deaf') await forward(collector, incoming, body);
        return undefined;
      }
      const lying = isWrite && lie.kind !== 'none' && events % lie.every === 0 && !isSilence(lie.kind);
      if (lying) lies += 1;
      const told = lying ? tell(lie.kind, body) : [body];
      if (told.length === 0) return outgoing.writeHead(200).end(acceptedReply);
      let answer = { status: 502, body: '' };
      for (const text of told) answer = await forward(collector, incoming, text);
      return outgoing.writeHead(answer.status, { 'content-type': 'application/json' }).end(answer.body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
    get lies() {
      return lies;
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const isSilence = (kind: Lie['kind']): boolean => kind === 'deaf' || kind.startsWith('mute');

/** What is really forwarded in place of an event. */
function tell(kind: Lie['kind'], body: string): string[] {
  const event = JSON.parse(body) as Json;
  switch (kind) {
    case 'lose':
      return [];
    case 'double':
      return [JSON.stringify({ ...event, event: { ...event.event, seq: event.event.seq + 5000 } }), body];
    case 'extra visitor':
      return [JSON.stringify({ ...event, visitor: { id: `somebody-else-${event.session.id}` } })];
    case 'two visitors as one':
      return [JSON.stringify({ ...event, visitor: { id: 'everybody' } })];
    default:
      return [body];
  }
}

async function readBody(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

function forward(
  collector: URL,
  incoming: IncomingMessage,
  body: string,
): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const { host: _host, 'content-length': _length, ...headers } = incoming.headers;
    const url = new URL(incoming.url ?? '/', collector);
    const onward = request(url, { method: incoming.method, headers }, (reply) => {
      readBody(reply).then((text) => resolve({ status: reply.statusCode ?? 502, body: text }), reject);
    });
    onward.on('error', reject);
    onward.end(body);
  });
}
