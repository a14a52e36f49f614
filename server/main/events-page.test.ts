import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { rejectReasons, standardEventTypes } from '../protocol/event.ts';
import { startTestCollector, type TestCollector } from './collector.testing.ts';

let test: TestCollector;
beforeAll(async () => {
  test = await startTestCollector();
});
afterAll(() => test.stop());

const page = readFileSync(new URL('../../docs/events.md', import.meta.url), 'utf8');
const examples = [...page.matchAll(/```json\n([^`]+)```/g)].map(([, text = '']) => text);

describe('docs/events.md', () => {
  it('shows events that a collector accepts, in their order', async () => {
    for (const text of examples)
      expect(await test.write(text), text).toMatchObject({ status: 200, json: { accepted: 1 } });
    const { byType } = (await test.get('/totals')).json as { byType: Record<string, number> };
    expect(Object.values(byType).reduce((sum, n) => sum + n, 0)).toBe(examples.length);
    expect((await test.get('/user-record?id=u-9')).json).toMatchObject({
      data: { name: 'Ann', plan: 'pro', city: 'Bonn' },
      signupDate: 1_384_900_000_000,
      visitors: expect.arrayContaining([expect.objectContaining({ id: 'v-5' })]),
    });
    expect((await test.get('/user-record?visitor=v-4')).json).toMatchObject({ user: null });
  });

  it('names every standard type, and has an example of each that has rules', () => {
    for (const type of standardEventTypes) expect(page, type).toContain(type);
    const shown = new Set(examples.map((text) => JSON.parse(text).event.type));
    for (const type of [
      'view',
      'click',
      'interest',
      'signup',
      'login',
      'loginAndImport',
      'updateUser',
      'logout',
    ])
      expect(shown).toContain(type);
    for (const type of ['exposure', 'conversion', 'order']) expect(shown).toContain(type);
  });

  it('names the reason of every rule about members of standard types', () => {
    const reasons = Object.keys(rejectReasons).filter((reason) =>
      /_(?:load_time|element|interest|user|user_data|signup_date|experiment|order|order_items)$/.test(reason),
    );
    expect(reasons).toHaveLength(10);
    for (const reason of reasons) expect(page).toContain(`\`${reason}\``);
  });
});
