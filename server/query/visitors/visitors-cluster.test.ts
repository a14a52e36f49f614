/** Questions about visitors in a Redis Cluster: every script's keys, temporary ones too, lie in one slot. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ManualClock } from '../../base/clock.ts';
import { startTestCluster, type TestCluster } from '../../store/cluster.testing.ts';
import { defaultRetention } from '../../store/retention.ts';
import { PropertyStore } from '../../store/store.ts';
import { answerVisitorQuestion } from './answer.ts';
import { commitFacts, startIdsAt } from './crowd.testing.ts';
import { readVisitorQuestion } from './read-question.ts';

const property = { account: 'demo', property: 'a:b' };
const dayMs = Date.UTC(2026, 10, 20);
let cluster: TestCluster;

beforeAll(async () => {
  cluster = await startTestCluster();
});
afterAll(() => cluster.stop());

test('in a cluster every kind of question is answered, over the border of a segment', async () => {
  const { connection } = cluster;
  await startIdsAt(connection, property, 2 ** 20 - 300);
  const clock = new ManualClock(dayMs + 86_400_000);
  const facts = Array.from({ length: 600 }, (_none, i) => [
    {
      visitor: `v${i}`,
      minuteMs: dayMs + i * 60_000,
      event: 'view',
      source: i % 3 === 0 ? 'mail' : undefined,
    },
    { visitor: `v${i}`, minuteMs: dayMs + (2 * i - 200) * 60_000, event: i % 2 === 0 ? 'pay' : 'cart' },
  ]).flat();
  await commitFacts(new PropertyStore(connection, property, { clock }), facts);
  const ask = async (what: object) => {
    const question = readVisitorQuestion({ from: '2026-11-19', to: '2026-11-21', ...what }, clock.wallMs());
    if ('status' in question) throw new Error(question.message);
    return answerVisitorQuestion(question, { connection, property, retention: defaultRetention, clock });
  };
  const [view, pay] = [{ event: 'view' }, { event: 'pay' }];
  expect(await ask({ uniques: { minus: [view, pay] } })).toMatchObject({ visitors: 300 });
  expect(await ask({ uniques: { not: { and: [view, { not: pay }] } } })).toMatchObject({ visitors: 300 });
  expect(await ask({ top: { of: 'sources' } })).toMatchObject({ top: [{ source: 'mail', visitors: 200 }] });
  // Who pays at 2i - 200 has viewed at i before: i >= 200, and even.
  const steps = [view, pay];
  expect(await ask({ funnel: { ordered: true, steps } })).toMatchObject({
    funnel: [{ visitors: 600 }, { visitors: 200 }],
  });
  // Every third of those came from the mail before: 66 of 300.
  expect(await ask({ attribution: { goal: pay } })).toMatchObject({ conversions: 300, untouched: 234 });
  expect(await connection.call('KEYS', ['*tmp*'])).toEqual([]);
});
