/**
 * The commonest scripts, without the program that works for all: one key counted as it is, or one count of bitmaps that
 * meet. Reading a program costs Redis 20 us, a third of what such a count takes.
 */
import { makeScript } from './connection.ts';
import { type PropertyKeys, segmentKey } from './keys.ts';
import type { VisitorScripts } from './visitor-scripts.ts';
import type { Segment, Stage } from './visitor-stages.ts';

/** False if the stage is not so simple: nothing was done. */
export async function runPlainStage(
  scripts: VisitorScripts,
  keys: PropertyKeys,
  stage: Stage,
  segment: Segment,
  counts: number[],
): Promise<boolean> {
  if (isPlain(stage)) {
    await countPlainly(scripts, stage, segment, counts);
    return true;
  }
  return isMeeting(stage) && countMeeting(scripts, keys, stage, segment, counts);
}

const countScript = makeScript(`#!lua flags=no-writes
local counts = {}
for i = 1, #KEYS do
  local kind = redis.call('TYPE', KEYS[i])['ok']
  counts[i] = kind == 'none' and 0 or redis.call(kind == 'set' and 'SCARD' or 'BITCOUNT', KEYS[i])
end
return counts
`);

const isPlain = ({ instructions }: Stage): boolean =>
  instructions.every(({ op, sources }) => op === 'count' && typeof sources[0] === 'string');

async function countPlainly(
  scripts: VisitorScripts,
  { instructions }: Stage,
  segment: Segment,
  counts: number[],
): Promise<void> {
  const names = instructions.map(({ sources }) => segmentKey(String(sources[0]), segment.number));
  const found = (await scripts.read(countScript, names, [])) as number[];
  instructions.forEach(({ target }, i) => {
    counts[target] = (counts[target] ?? 0) + Number(found[i]);
  });
}

// KEYS: what meets, then what is taken away, if ARGV[1] is 1, then a temporary key. -1: not all are bitmaps of one length.
const meetScript = makeScript(`#!lua
local call, last = redis.call, #KEYS - 1
local key, bytes = KEYS[#KEYS], nil
for i = 1, last do
  if call('TYPE', KEYS[i])['ok'] ~= 'string' then return -1 end
  local size = call('STRLEN', KEYS[i])
  if bytes and size ~= bytes then return -1 end
  bytes = size
end
redis.set_repl(redis.REPL_NONE)
if ARGV[1] == '1' then
  call('BITOP', 'NOT', key, KEYS[last])
  KEYS[last] = key
end
KEYS[#KEYS] = nil
call('BITOP', 'AND', key, unpack(KEYS))
local found = call('BITCOUNT', key)
call('DEL', key)
return found
`);
const met = ['and', 'minus'];
/** What BITOP is fast with. */
const sourcesMax = 16;

function isMeeting({ instructions }: Stage): boolean {
  const [meet, count] = instructions;
  if (meet === undefined || count?.op !== 'count' || instructions.length !== 2) return false;
  const isOfKeys =
    meet.sources.length <= sourcesMax && meet.sources.every((source) => typeof source === 'string');
  return met.includes(meet.op) && isOfKeys && count.sources[0] === meet.target;
}

async function countMeeting(
  scripts: VisitorScripts,
  keys: PropertyKeys,
  { instructions }: Stage,
  segment: Segment,
  counts: number[],
): Promise<boolean> {
  const [meet, count] = instructions as readonly [Stage['instructions'][0], Stage['instructions'][0]];
  const names = meet.sources.map((source) => segmentKey(String(source), segment.number));
  const takesAway = meet.op === 'minus' ? '1' : '0';
  const found = Number(await scripts.run(meetScript, [...names, keys.temporary(1)], [takesAway]));
  if (found < 0) return false;
  counts[count.target] = (counts[count.target] ?? 0) + found;
  return true;
}
