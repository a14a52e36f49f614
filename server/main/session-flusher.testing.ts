/** What tests of the flusher look at: the departures that are stored, document by document. */
import { decodeChunk } from '../store/chunk.ts';
import type { RedisConnection } from '../store/connection.ts';
import { PropertyKeys } from '../store/keys.ts';

export interface Departure {
  readonly event: {
    readonly id: string;
    readonly time: number;
    readonly seq?: number;
    readonly data: {
      readonly departed: number;
      readonly visitMs: number;
      readonly departure: number;
      readonly heartbeat: Record<string, unknown>;
    };
  };
  readonly session: { readonly id: string };
  readonly visitor: { readonly id: string };
  readonly page?: object;
  readonly source?: object;
}

/** Every stored `sessionTimeout` of demo/site, in the order of their storing; 65,536 events at most. */
export async function storedDepartures(connection: RedisConnection): Promise<Departure[]> {
  const key = new PropertyKeys({ account: 'demo', property: 'site' }).documents(0);
  const flat = (await connection.callBuffer('HGETALL', [key])) as Buffer[];
  const chunks: [number, Buffer][] = [];
  for (let at = 0; at + 1 < flat.length; at += 2) chunks.push([Number(flat[at]), flat[at + 1] as Buffer]);
  return chunks
    .sort(([a], [b]) => a - b)
    .flatMap(([, chunk]) => decodeChunk(chunk))
    .map((json) => JSON.parse(json) as Departure & { event: { type: string } })
    .filter(({ event }) => event.type === 'sessionTimeout');
}

/** How often each session departed. */
export function departuresBySession(departures: readonly Departure[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { session } of departures) counts[session.id] = (counts[session.id] ?? 0) + 1;
  return counts;
}
