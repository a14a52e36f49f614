/** One connection's worth of mischief: which bytes are sent, in which pieces, and how the connection ends. */
import { byteMutations, requestMutations } from './mutations.ts';
import { Random } from './random.ts';
import { bytesOf, validRequest } from './requests.ts';

export interface FuzzCase {
  readonly number: number;
  /** What was done, for people: `chunked + cut`. */
  readonly what: string;
  readonly requests: number;
  readonly pieces: readonly Buffer[];
  /** Milliseconds between two pieces. */
  readonly pauseMs: number;
  /**
   * `wait`: reads on until as many replies came as there were requests, or nothing comes any more, and ends then;
   * `end`: says at once that it has sent all, and reads on; `reset`: breaks the connection off.
   */
  readonly ending: 'wait' | 'end' | 'reset';
}

const requestNames = Object.keys(requestMutations);
/** After these a collector may not read on: they come last on a connection, or what follows would never be tried. */
const fatal = new Set([
  'method',
  'version',
  'target form',
  'long target',
  'header twice',
  'header gone',
  'header value',
  'other header',
  'header name',
  'many headers',
  'wrong length',
  'two lengths',
  'chunked',
  'huge body',
]);
const harmlessNames = requestNames.filter((name) => !fatal.has(name));
const byteNames = Object.keys(byteMutations);
/** These take megabytes and milliseconds; often enough in a million. */
const heavy = new Set(['gzip bomb', 'huge body', 'many events']);
const heavyOneIn = 20;

/** Case `number` of a seed is always the same, whatever came before it. */
export function makeCase(seed: number, number: number): FuzzCase {
  const random = new Random(seed, number);
  const what: string[] = [];
  const requests = random.oneIn(3) ? 1 : 1 + random.below(8);
  const parts = Array.from({ length: requests }, (_none, at) =>
    oneRequest(random, at === requests - 1 ? requestNames : harmlessNames, what),
  );
  let bytes = Buffer.concat(parts);
  if (random.oneIn(4)) {
    const name = random.pick(byteNames);
    what.push(name);
    bytes = byteMutations[name]?.(bytes, random) as Buffer<ArrayBuffer>;
  }
  const pieces = random.oneIn(3) ? split(bytes, random) : [bytes];
  const pauseMs = random.oneIn(4) ? random.below(5) : 0;
  const ending = random.oneIn(20) ? 'reset' : random.oneIn(4) ? 'end' : 'wait';
  return {
    number,
    what: what.length === 0 ? 'nothing' : what.join(' + '),
    requests,
    pieces,
    pauseMs,
    ending,
  };
}

function oneRequest(random: Random, names: readonly string[], what: string[]): Buffer {
  const request = validRequest(random);
  // One in eight stays as it is: what follows a spoilt request on a connection must not matter to the others.
  const mutations = random.oneIn(8) ? 0 : 1 + random.below(2);
  for (let done = 0; done < mutations; done++) {
    const name = random.pick(names);
    if (heavy.has(name) && !random.oneIn(heavyOneIn)) continue;
    what.push(name);
    if (request.headers.length > 0) requestMutations[name]?.(request, random);
  }
  return bytesOf(request);
}

function split(bytes: Buffer, random: Random): Buffer[] {
  const cuts = Array.from({ length: 1 + random.below(4) }, () => random.below(bytes.length + 1));
  const edges = [0, ...cuts.sort((a, b) => a - b), bytes.length];
  return edges.slice(1).map((edge, at) => bytes.subarray(edges[at], edge));
}
