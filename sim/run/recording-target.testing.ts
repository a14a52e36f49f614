/** A target for tests that accepts every event and remembers its fingerprint: what arrived, whatever the order. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { actDigest, DigestSum } from '../crowd/digest.ts';

export interface ReceivedEvent {
  readonly event: { readonly type: string; readonly time: number; readonly seq: number };
  readonly session: { readonly id: string; readonly start: number };
  readonly visitor: { readonly id: string };
  readonly page: { readonly path: string };
}

export interface RecordingTarget {
  readonly url: URL;
  readonly digest: DigestSum;
  readonly events: ReceivedEvent[];
  close(): Promise<void>;
}

const reply = '{"durability":"stored","accepted":1,"duplicates":0,"rejected":0,"results":[]}';

/**
 * @param answer status for the n-th request (from 0); 200 accepts, anything else refuses without recording
 * @param delayMs how long each answer takes
 */
export async function startRecordingTarget(
  answer: (request: number) => number = () => 200,
  delayMs = 0,
): Promise<RecordingTarget> {
  const digest = new DigestSum();
  const events: ReceivedEvent[] = [];
  let requests = 0;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const status = answer(requests);
      requests += 1;
      if (status === 200) {
        const event = JSON.parse(Buffer.concat(chunks).toString()) as ReceivedEvent;
        events.push(event);
        digest.add(digestOf(event));
      }
      const send = (): void => {
        response.writeHead(status, { 'content-type': 'application/json' }).end(status === 200 ? reply : '{}');
      };
      if (delayMs === 0) send();
      else setTimeout(send, delayMs);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: new URL(`http://127.0.0.1:${port}`),
    digest,
    events,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export function digestOf({ event, session, page }: ReceivedEvent): { high: number; low: number } {
  return actDigest({
    sessionId: session.id,
    seq: event.seq,
    type: event.type,
    path: page.path,
    elapsedMs: event.time - session.start,
  });
}
