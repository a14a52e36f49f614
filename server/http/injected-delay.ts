/**
 * A collector that is slower by a known share: the positive control of a benchmark, which must find it. The time is
 * spent busy, as slower code would spend it; a timer would only make replies late. Never on in production.
 */
import type { Clock } from '../base/clock.ts';
import { CrowdbeatError } from '../base/errors.ts';
import type { Answer } from './answer.ts';
import type { PendingReply, Route } from './router.ts';

/** As a share of the time that a request took until its answer: 0.2 makes it a fifth longer. */
export interface InjectedDelay {
  readonly ingest: number;
  readonly query: number;
}

const shareMax = 10;
const queryPaths: readonly string[] = ['/count', '/totals', '/visitors/query', '/query'];

/** `query=20%`, `ingest=20%,query=5%`. Throws CrowdbeatError CB_OPTION. */
export function readInjectedDelay(text: string): InjectedDelay {
  const delay = { ingest: 0, query: 0 };
  for (const part of text.split(',')) {
    const match = /^(ingest|query)=(\d+(?:\.\d+)?)%$/.exec(part.trim());
    const share = Number(match?.[2]) / 100;
    if (match === null || share > shareMax)
      throw new CrowdbeatError(
        'CB_OPTION',
        `--inject-delay: needs ingest=20% or query=20%, at most 1000%, got ${JSON.stringify(text)}`,
      );
    delay[match[1] as keyof InjectedDelay] = share;
  }
  return delay;
}

/** The same routes, those that are meant slower by their share. */
export function withInjectedDelay(routes: readonly Route[], delay: InjectedDelay, clock: Clock): Route[] {
  return routes.map((route) => {
    const share = route.path === '/write' ? delay.ingest : queryPaths.includes(route.path) ? delay.query : 0;
    return share === 0 ? route : slower(route, share, clock);
  });
}

function slower(route: Route, share: number, clock: Clock): Route {
  const { handle, handleWhole } = route;
  const wasteSince = (startMs: number): void => {
    const endMs = clock.monotonicMs() + (clock.monotonicMs() - startMs) * share;
    while (clock.monotonicMs() < endMs);
  };
  const slow: Route = {
    ...route,
    handle(request, response, query) {
      const startMs = clock.monotonicMs();
      const end = response.end.bind(response) as (...args: unknown[]) => typeof response;
      response.end = ((...args: unknown[]) => {
        wasteSince(startMs);
        return end(...args);
      }) as typeof response.end;
      handle(request, response, query);
    },
  };
  if (handleWhole === undefined) return slow;
  return {
    ...slow,
    handleWhole(body, head, ip, reply) {
      const startMs = clock.monotonicMs();
      const later: PendingReply = {
        requestId: reply.requestId,
        answer(answer: Answer) {
          wasteSince(startMs);
          reply.answer(answer);
        },
      };
      handleWhole(body, head, ip, later);
    },
  };
}
