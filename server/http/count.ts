/** `GET /count?event=view&bucket=2026-11-21-17`: distinct visitors of one time bucket. */
import type { Clock } from '../base/clock.ts';
import { countParameters, readCountQuestion } from '../query/count-question.ts';
import type { RedisConnection } from '../store/connection.ts';
import { countBucket } from '../store/counts.ts';
import type { Retention } from '../store/retention.ts';
import { errorAnswer } from './answer.ts';
import { answeringRoute, ok } from './answering.ts';
import type { Log } from './failure.ts';
import type { Route } from './router.ts';

export interface CountOptions {
  readonly connection: RedisConnection;
  readonly retention: Retention;
  readonly clock: Clock;
  readonly log: Log;
}

export function countRoute({ connection, retention, clock, log }: CountOptions): Route {
  return answeringRoute('/count', countParameters, log, async ({ property, parameters }) => {
    const question = readCountQuestion(parameters);
    if ('status' in question) return errorAnswer(question);
    return ok(
      await countBucket(connection, property, question.what, question.bucket, clock.wallMs(), retention),
    );
  });
}
