/** The question of `GET /count`: which name, in which time bucket. */
import { parseBucket, type TimeBucket } from '../base/time-bucket.ts';
import { limits } from '../protocol/limits.ts';
import type { ErrorReply } from '../protocol/replies.ts';
import type { Counted } from '../store/counts.ts';

export interface CountQuestion {
  readonly what: Counted;
  readonly bucket: TimeBucket;
}

/** Query parameters that make the question. */
export const countParameters = ['event', 'source', 'campaign', 'bucket', 'bot'] as const;

/** @param parameters decoded query parameters by name */
export function readCountQuestion(parameters: ReadonlyMap<string, string>): CountQuestion | ErrorReply {
  const bucketName = parameters.get('bucket');
  if (bucketName === undefined)
    return refuse('missing_parameter', 'bucket= is missing, such as bucket=2026-11-21-17');
  const bucket = parseBucket(bucketName);
  if (bucket === undefined)
    return refuse('bad_parameter', `bucket=: ${bucketRule}, got "${bucketName.slice(0, 40)}"`);
  for (const name of ['event', 'source', 'campaign']) {
    const value = parameters.get(name);
    if (value === undefined || (value.length >= 1 && value.length <= limits.nameLengthMax)) continue;
    return refuse(
      'bad_parameter',
      `${name}=: needs 1 to ${limits.nameLengthMax} characters, got ${value.length}`,
    );
  }
  const what = readCounted(parameters.get('event'), parameters.get('source'), parameters.get('campaign'));
  if ('status' in what) return what;
  const bot = parameters.get('bot') ?? 'false';
  if (bot !== 'true' && bot !== 'false')
    return refuse('bad_parameter', `bot=: needs true or false, got "${bot.slice(0, 40)}"`);
  return { what: bot === 'true' ? { ...what, isBot: true } : what, bucket };
}

const bucketRule =
  'needs a UTC minute, hour, day, month or year (2026-11-21-17-05, 2026-11-21-17, 2026-11-21, 2026-11, 2026)';

function readCounted(event?: string, source?: string, campaign?: string): Counted | ErrorReply {
  if (event !== undefined && (source !== undefined || campaign !== undefined)) {
    return refuse('bad_parameter', 'event= and source= are two questions; ask one of them');
  }
  if (event !== undefined) return { event };
  if (source !== undefined) return { source, campaign };
  if (campaign !== undefined)
    return refuse('missing_parameter', 'campaign= needs source=, the source it belongs to');
  return refuse('missing_parameter', 'event= (or source=) is missing: what shall be counted');
}

function refuse(code: string, message: string): ErrorReply {
  return { status: 400, code, message };
}
