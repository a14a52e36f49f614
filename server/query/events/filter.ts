/** What a query finds in a segment: sets of its parts, joined by operations on words. */
import type { LeafQuery } from '../../protocol/lucene/matches.ts';
import type { Query } from '../../protocol/lucene/query.ts';
import { allOf, type DocSet, intersect, noneOf, sizeOf, unite, without } from './doc-set.ts';
import { type FilterCache, keyOfLeaf } from './filter-cache.ts';
import { codesOf, leafSet, pointsWanted } from './filter-leaf.ts';
import { type PlainColumn, plainColumn } from './plain-column.ts';
import type { Turns } from './question-turns.ts';
import type { Segment } from './segment.ts';

export class Filter {
  readonly query: Query;
  readonly #cache: FilterCache;
  readonly #turns: Turns;

  constructor(query: Query, cache: FilterCache, turns: Turns) {
    this.query = query;
    this.#cache = cache;
    this.#turns = turns;
  }

  /** What both find. */
  and(query: Query): Filter {
    const members = [this.query, query].filter(({ kind }) => kind !== 'all');
    const [only] = members;
    const both: Query = members.length === 2 ? { kind: 'and', members } : (only ?? { kind: 'all' });
    return new Filter(both, this.#cache, this.#turns);
  }

  async set(segment: Segment): Promise<DocSet> {
    await this.#turns.breathe();
    return this.#set(this.query, segment);
  }

  /** How many it finds, without looking at each event where a dictionary's counts say it. */
  async count(segment: Segment): Promise<number> {
    await this.#turns.breathe();
    return this.#count(this.query, segment);
  }

  async #set(query: Query, segment: Segment): Promise<DocSet> {
    const { count } = segment;
    switch (query.kind) {
      case 'all':
        return allOf(count);
      case 'not':
        return without(await this.#set(query.member, segment), count);
      case 'and':
      case 'or': {
        const join = query.kind === 'and' ? intersect : unite;
        let set = query.kind === 'and' ? allOf(count) : noneOf(count);
        for (const member of query.members) {
          set = join(set, await this.#set(member, segment));
          if (query.kind === 'and' && set.every((word) => word === 0)) return set;
        }
        return set;
      }
      default:
        return this.#leaf(query, segment);
    }
  }

  async #leaf(query: LeafQuery, segment: Segment): Promise<DocSet> {
    const { count } = segment;
    const column = await this.#columnFor(query, segment);
    if (column === undefined) return noneOf(count);
    const key = keyOfLeaf(query);
    const known = segment.isSealed ? this.#cache.get(column, key) : undefined;
    if (known !== undefined) return known;
    const set = await leafSet(query, column, count, this.#turns);
    if (segment.isSealed) this.#cache.add(column, key, set);
    await this.#turns.breathe();
    return set;
  }

  /** Undefined: nothing can be found, because there are no values or all of them lie elsewhere. */
  async #columnFor(query: LeafQuery, segment: Segment): Promise<PlainColumn | undefined> {
    if (query.kind === 'range' && query.by === 'point') {
      const wanted = pointsWanted(query);
      const held = segment.pointRange(query.field);
      if (wanted === undefined) return undefined;
      if (held !== undefined && (held.max < wanted.min || held.min > wanted.max)) return undefined;
    }
    return this.#turns.wait(plainColumn(segment, query.field));
  }

  async #count(query: Query, segment: Segment): Promise<number> {
    if (query.kind === 'all') return segment.count;
    if (query.kind === 'not') return segment.count - (await this.#count(query.member, segment));
    if (query.kind === 'and' || query.kind === 'or') return sizeOf(await this.#set(query, segment));
    const column = await this.#columnFor(query, segment);
    if (column === undefined) return 0;
    if (column.kind !== 'dictionary') return sizeOf(await this.#leaf(query, segment));
    const hits = await codesOf(query, column, this.#turns);
    if (hits === undefined) return 0;
    let sum = 0;
    let found = 0;
    for (const [index, count] of column.counts.entries()) {
      if (hits[index + 1] !== 1) continue;
      found += 1;
      sum += count;
    }
    // An event with two of the values would count twice.
    if (found === 1 || column.more.size === 0) return sum;
    return sizeOf(await this.#leaf(query, segment));
  }
}
