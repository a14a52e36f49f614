/**
 * Which segments a property has, sealed ones and others, in one read. What was learned before is not asked again:
 * the list of sealed segments is sent only when its version has changed, and a segment that has gone stays gone.
 */
import { makeScript, type RedisConnection } from './connection.ts';
import { ordinalSegmentBits, type PropertyKeys } from './keys.ts';
import { parseSealedEntry, type SealedEntry, sealedVersionField } from './segment-meta.ts';

/** Segments asked about at a time: 0.4 ms of Redis. */
const askedMax = 500;

/**
 * KEYS generation, totals, sealed, directories…; ARGV the generation and version that are known. Replies {generation,
 * replication id, ordinals, version, entries of the sealed ones or false, {length and first entry of a directory}…}.
 */
const stateScript = makeScript(`#!lua flags=no-writes
local call = redis.call
local generation = call('GET', KEYS[1]) or ''
local version = call('HGET', KEYS[3], '${sealedVersionField}') or '0'
local sealed = false
if generation ~= ARGV[1] or version ~= ARGV[2] then sealed = call('HGETALL', KEYS[3]) end
local directories = {}
for i = 4, #KEYS do
  local length = call('STRLEN', KEYS[i])
  directories[#directories + 1] = length
  directories[#directories + 1] = length > 0 and call('GETRANGE', KEYS[i], 0, 3) or ''
end
local replication = string.match(call('INFO', 'replication'), 'master_replid:(%x+)') or ''
return {generation, replication, call('HGET', KEYS[2], 'ordinals') or '0', version, sealed, directories}
`);

type StateReply = [Buffer, Buffer, Buffer, Buffer, Buffer[] | null, (number | Buffer)[]];

/** A segment that is not sealed, as its directory says. */
export interface UnsealedState {
  readonly number: number;
  readonly directoryBytes: number;
  /** The directory's first entry; another one means other documents. */
  readonly firstEntry: string;
  /** Nothing will be appended to it. */
  readonly isFull: boolean;
}

export interface SegmentStates {
  /** Of the data and of the server that has it; whatever was remembered of unsealed segments holds for one only. */
  readonly identity: string;
  /** '' = there is no property, or it is being deleted. */
  readonly generation: string;
  readonly sealed: ReadonlyMap<number, SealedEntry>;
  /** By number; empty ones are left out. */
  readonly unsealed: readonly UnsealedState[];
}

/** What the last read left behind; never changed but for `gone`, which only grows. */
interface Known {
  readonly generation: string;
  readonly version: string;
  readonly sealed: ReadonlyMap<number, SealedEntry>;
  /** Segments that were begun, those that have gone included. */
  readonly segments: number;
  /** Segments that were found empty while a later one had begun. */
  readonly gone: Set<number>;
}

/** One property's. Reads may overlap: each works with what was known when it began. */
export class SegmentStateReader {
  readonly #connection: RedisConnection;
  readonly #keys: PropertyKeys;
  #known: Known = { generation: '', version: '', sealed: new Map(), segments: 1, gone: new Set() };

  constructor(connection: RedisConnection, keys: PropertyKeys) {
    this.#connection = connection;
    this.#keys = keys;
  }

  /** Throws CB_REDIS_*. */
  async read(): Promise<SegmentStates> {
    for (let states: SegmentStates | undefined; ; ) {
      states = await this.#look(this.#known);
      if (states !== undefined) return states;
    }
  }

  /** Undefined: there turned out to be other segments than those that were asked about. */
  async #look(known: Known): Promise<SegmentStates | undefined> {
    const numbers = candidates(known);
    const unsealed: UnsealedState[] = [];
    let identity = '';
    for (let at = 0; at === 0 || at < numbers.length; at += askedMax) {
      const slice = numbers.slice(at, at + askedMax);
      const reply = await this.#ask(known, slice);
      const learned = learn(known, reply);
      if (learned !== known) {
        this.#known = learned;
        return undefined;
      }
      identity = `${known.generation} ${reply[1]} ${this.#connection.resets}`;
      for (const [i, number] of slice.entries()) {
        const directoryBytes = Number(reply[5][2 * i]);
        const isFull = number < known.segments - 1;
        if (directoryBytes === 0 && isFull) known.gone.add(number);
        if (directoryBytes === 0) continue;
        const firstEntry = (reply[5][2 * i + 1] as Buffer).toString('hex');
        unsealed.push({ number, directoryBytes, firstEntry, isFull });
      }
    }
    const { generation, sealed } = known;
    const isThere = generation !== '' && !generation.startsWith('!');
    if (!isThere) return { identity, generation: '', sealed: new Map(), unsealed: [] };
    return { identity, generation, sealed, unsealed };
  }

  async #ask({ generation, version }: Known, numbers: readonly number[]): Promise<StateReply> {
    const keys = this.#keys;
    const names = [keys.generation, keys.totals, keys.sealed];
    for (const number of numbers) names.push(keys.directory(number));
    return (await this.#connection.readScript(stateScript, names, [generation, version])) as StateReply;
  }
}

function candidates({ segments, sealed, gone }: Known): number[] {
  const numbers: number[] = [];
  for (let number = 0; number < segments; number++)
    if (!sealed.has(number) && !gone.has(number)) numbers.push(number);
  return numbers;
}

/** What is known after the reply; the same object if nothing new was learned. */
function learn(known: Known, [generationBytes, , ordinals, versionBytes, sealed]: StateReply): Known {
  const generation = generationBytes.toString();
  const version = versionBytes.toString();
  const segments = Math.floor(Number(ordinals) / 2 ** ordinalSegmentBits) + 1;
  const isSame = generation === known.generation;
  if (isSame && version === known.version && segments === known.segments) return known;
  const gone = isSame ? known.gone : new Set<number>();
  return {
    generation,
    version,
    segments,
    gone,
    sealed: sealed === null ? known.sealed : sealedEntries(sealed),
  };
}

function sealedEntries(flat: readonly Buffer[]): ReadonlyMap<number, SealedEntry> {
  const entries = new Map<number, SealedEntry>();
  for (let i = 0; i + 1 < flat.length; i += 2) {
    const field = String(flat[i]);
    if (field !== sealedVersionField) entries.set(Number(field), parseSealedEntry(String(flat[i + 1])));
  }
  return new Map([...entries].sort(([a], [b]) => a - b));
}
