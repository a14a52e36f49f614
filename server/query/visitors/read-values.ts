/** Reading the members of a question: each function names the member, the rule and the value it got. */
import { parseBucket } from '../../base/time-bucket.ts';
import { limits } from '../../protocol/limits.ts';
import type { ErrorReply } from '../../protocol/replies.ts';
import { minuteMs } from './cover.ts';
import { type NamedLeaf, questionLimits, type TimeRange } from './question.ts';

/** Thrown while a question is read, and nowhere else: `readVisitorQuestion` makes a reply of it. */
export class QuestionError extends Error {
  readonly reply: ErrorReply;

  constructor(code: string, message: string) {
    super(message);
    this.reply = { status: 400, code, message };
  }
}

export type Members = Readonly<Record<string, unknown>>;

export function refuse(path: string, rule: string, got: unknown): never {
  throw new QuestionError('bad_question', `${path}: ${rule}, got ${shown(got)}`);
}

function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  let text: string;
  try {
    text = JSON.stringify(value);
  } catch {
    // JSON.parse reads what is nested so deep that writing it runs out of stack.
    return 'something nested too deep to show';
  }
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

export function asObject(value: unknown, path: string): Members {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Members;
  return refuse(path, 'needs an object', value);
}

export function asArray(value: unknown, path: string): readonly unknown[] {
  return Array.isArray(value) ? value : refuse(path, 'needs an array', value);
}

/** A misspelt member must not change a question silently. */
export function onlyKnown(members: Members, known: readonly string[], path: string): void {
  for (const name of Object.keys(members))
    if (!known.includes(name)) {
      const message = `${path}: unknown member "${name.slice(0, 100)}"; known: ${known.join(', ')}`;
      throw new QuestionError('bad_question', message);
    }
}

export function readWhole(value: unknown, path: string, min: number, max: number): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value;
  return refuse(path, `needs a whole number from ${min} to ${max}`, value);
}

export function readChoice<Choice extends string>(
  value: unknown,
  path: string,
  choices: readonly Choice[],
): Choice {
  const found = choices.find((choice) => choice === value);
  return found ?? refuse(path, `needs one of ${choices.join(', ')}`, value);
}

export function readName(value: unknown, path: string): string {
  if (typeof value === 'string' && value.length >= 1 && value.length <= limits.nameLengthMax) return value;
  return refuse(path, `needs a text of 1 to ${limits.nameLengthMax} characters`, value);
}

export const nameMembers = ['event', 'source', 'campaign', 'anyCampaign'] as const;

/** `{event}`, or `{source}` with or without `campaign` or `anyCampaign`; other members are looked at by the caller. */
export function readNamed(members: Members, path: string): NamedLeaf {
  if (members['event'] !== undefined && members['source'] !== undefined)
    return refuse(path, 'event and source are two sets; join them with and, or, minus', members);
  if (members['event'] !== undefined) {
    if (members['campaign'] !== undefined || members['anyCampaign'] !== undefined)
      refuse(path, 'campaign belongs to a source, not to an event', members);
    return { event: readName(members['event'], `${path}.event`) };
  }
  const source = readName(members['source'], `${path}.source`);
  const { campaign, anyCampaign } = members as { campaign?: unknown; anyCampaign?: unknown };
  if (anyCampaign !== undefined) {
    if (campaign !== undefined) refuse(path, 'campaign and anyCampaign exclude each other', members);
    return anyCampaign === true
      ? { source, anyCampaign }
      : refuse(`${path}.anyCampaign`, 'needs true', anyCampaign);
  }
  return { source, campaign: campaign === undefined ? undefined : readName(campaign, `${path}.campaign`) };
}

const timeRule =
  'needs a whole UTC minute: a bucket (2026-11-21, 2026-11-21-17-05), ISO 8601 with an offset, or epoch ms';
const isoPattern = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2})$/;

export function readTime(value: unknown, path: string): number {
  const timeMs = typeof value === 'string' ? readTimeText(value) : value;
  if (typeof timeMs === 'number' && Number.isInteger(timeMs) && timeMs >= 0 && timeMs % minuteMs === 0)
    if (timeMs <= latestMs) return timeMs;
  return refuse(path, timeRule, value);
}

const latestMs = Date.UTC(9999, 11, 31);

function readTimeText(text: string): number | undefined {
  const bucket = parseBucket(text);
  if (bucket !== undefined) return bucket.startMs;
  return isoPattern.test(text) ? Date.parse(text) : undefined;
}

export const rangeMembers = ['from', 'to', 'bucket'] as const;

/** `bucket`, or `from` and `to`; undefined if there is none of them. Refuses what is upside down, too long, or to come. */
export function readRange(members: Members, path: string, nowMs: number): TimeRange | undefined {
  const { from, to, bucket } = members as { from?: unknown; to?: unknown; bucket?: unknown };
  if (bucket !== undefined) {
    if (from !== undefined || to !== undefined)
      refuse(path, 'bucket is a whole range; from and to go without it', { from, to, bucket });
    const read = typeof bucket === 'string' ? parseBucket(bucket) : undefined;
    if (read === undefined)
      return refuse(`${path}.bucket`, 'needs a UTC minute, hour, day, month or year', bucket);
    return checkRange({ fromMs: read.startMs, toMs: read.endMs }, path, nowMs);
  }
  if (from === undefined && to === undefined) return undefined;
  const range = { fromMs: readTime(from, `${path}.from`), toMs: readTime(to, `${path}.to`) };
  return checkRange(range, path, nowMs);
}

function checkRange(range: TimeRange, path: string, nowMs: number): TimeRange {
  const { fromMs, toMs } = range;
  const [from, to] = [fromMs, toMs].map((timeMs) => new Date(timeMs).toISOString());
  if (toMs <= fromMs)
    throw new QuestionError('bad_range', `${path}: to must be after from, got ${from} to ${to}`);
  if (toMs - fromMs > questionLimits.rangeMsMax)
    throw new QuestionError('bad_range', `${path}: at most 100 years, got ${from} to ${to}`);
  if (fromMs > nowMs + limits.eventAheadMsMax)
    throw new QuestionError('bad_range', `${path}: lies in the future, from ${from}`);
  return range;
}
