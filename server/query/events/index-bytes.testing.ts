/** What a stored event costs in the memory of Redis, index and all. */
import type { PropertyName } from '../../protocol/property.ts';
import type { RedisConnection } from '../../store/connection.ts';
import { PropertyKeys } from '../../store/keys.ts';

export interface IndexBytes {
  /** Of one event of the segment: what MEMORY USAGE says of each of its keys. */
  readonly documents: number;
  readonly columns: number;
  readonly pages: number;
  readonly meta: number;
  readonly total: number;
}

/** @param events how many the segment has */
export async function measureIndexBytes(
  connection: RedisConnection,
  property: PropertyName,
  segment: number,
  events: number,
): Promise<IndexBytes> {
  const keys = new PropertyKeys(property);
  const usage = async (...names: readonly string[]): Promise<number> => {
    let bytes = 0;
    for (const name of names)
      bytes += Number((await connection.call('MEMORY', ['USAGE', name, 'SAMPLES', '0'])) ?? 0);
    return bytes / events;
  };
  const documents = await usage(keys.documents(segment), keys.directory(segment));
  const columns = await usage(keys.segmentColumns(segment));
  const pages = await usage(keys.segmentPages(segment));
  const meta = await usage(keys.segmentMeta(segment));
  return { documents, columns, pages, meta, total: documents + columns + pages + meta };
}
