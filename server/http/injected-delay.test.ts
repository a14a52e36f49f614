import { expect, test } from 'vitest';
import type { Clock } from '../base/clock.ts';
import type { Answer } from './answer.ts';
import { readInjectedDelay, withInjectedDelay } from './injected-delay.ts';
import type { CollectorRequest, Response } from './request.ts';
import type { Route } from './router.ts';

/** Each look at it takes a millisecond. */
function tickingClock(): Clock & { now: number } {
  const clock = { now: 0, wallMs: () => 0, monotonicMs: () => clock.now++ };
  return clock;
}

function routeOf(path: string, clock: { now: number }): Route {
  return {
    method: 'POST',
    path,
    handle(_request, response) {
      clock.now += 100;
      response.end('done');
    },
    handleWhole(_body, _head, _ip, reply) {
      clock.now += 100;
      reply.answer({} as Answer);
    },
  };
}

/** How long a request of a route takes by its clock, on either path. */
function lengthOf(path: string, delay: string): [plain: number, whole: number] {
  const clock = tickingClock();
  const [route] = withInjectedDelay([routeOf(path, clock)], readInjectedDelay(delay), clock) as [Route];
  const ended: unknown[] = [];
  const response = { end: (text: unknown) => ended.push(text) } as unknown as Response;
  route.handle({} as CollectorRequest, response, '');
  const plain = clock.now;
  const head = {} as Parameters<NonNullable<Route['handleWhole']>>[1];
  route.handleWhole?.(Buffer.from(''), head, '', { answer: () => ended.push('whole') });
  expect(ended).toEqual(['done', 'whole']);
  return [plain, clock.now - plain];
}

test('a request of the kind that is meant takes its share longer, on either path, and others do not', () => {
  for (const length of lengthOf('/write', 'ingest=50%')) expect(length).toBeGreaterThanOrEqual(150);
  for (const length of lengthOf('/count', 'ingest=50%')) expect(length).toBe(100);
  for (const length of lengthOf('/count', 'query=50%,ingest=1%')) expect(length).toBeGreaterThanOrEqual(150);
  for (const length of lengthOf('/health', 'query=50%,ingest=50%')) expect(length).toBe(100);
});

test('what is wasted for one request adds nothing to the waste of another that waited meanwhile', () => {
  const clock = tickingClock();
  const replies: (() => void)[] = [];
  const route: Route = {
    ...routeOf('/write', clock),
    handleWhole: (_body, _head, _ip, reply) => void replies.push(() => reply.answer({} as Answer)),
  };
  const [slow] = withInjectedDelay([route], readInjectedDelay('ingest=1000%'), clock) as [Route];
  const head = {} as Parameters<NonNullable<Route['handleWhole']>>[1];
  for (let at = 0; at < 5; at += 1)
    slow.handleWhole?.(Buffer.from(''), head, '', { answer: () => undefined });
  clock.now += 100;
  for (const reply of replies) reply();
  // Five times some 100 ms and ten times that; if each counted the waste before it, it would be millions.
  expect(clock.now).toBeLessThan(7000);
});

test.each(['', 'query', 'query=20', 'write=20%', 'query=-1%', 'query=2000%', 'query=20%,'])(
  'a delay of "%s" is refused with the rule',
  (text) => {
    expect(() => readInjectedDelay(text)).toThrow(
      /--inject-delay: needs ingest=20% or query=20%, at most 1000%, got/,
    );
  },
);
