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
  const waste = new Waste(clock);
  return routes.map((route) => {
    const share = route.path === '/write' ? delay.ingest : queryPaths.includes(route.path) ? delay.query : 0;
    return share === 0 ? route : slower(route, share, waste);
  });
}

/**
 * What was wasted for one request is not counted as time of the others that waited meanwhile: their waste would grow
 * with it, and theirs again, until the collector did nothing else.
 */
class Waste {
  readonly #clock: Clock;
  #wastedMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The clock without what was wasted so far. */
  usefulMs(): number {
    return this.#clock.monotonicMs() - this.#wastedMs;
  }

  spend(lengthMs: number): void {
    const startMs = this.#clock.monotonicMs();
    let nowMs = startMs;
    while (nowMs < startMs + lengthMs) nowMs = this.#clock.monotonicMs();
    this.#wastedMs += nowMs - startMs;
  }
}

function slower(route: Route, share: number, waste: Waste): Route {
  const { handle, handleWhole } = route;
  const wasteSince = (startMs: number): void => waste.spend((waste.usefulMs() - startMs) * share);
  const slow: Route = {
    ...route,
    handle(request, response, query) {
      const startMs = waste.usefulMs();
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
      const startMs = waste.usefulMs();
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
