import { describe, expect, test } from 'vitest';
import { ManualClock } from '../../base/clock.ts';
import { QuestionLine, Turns } from './question-turns.ts';

const never = new AbortController().signal;
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

describe('the line', () => {
  test('lets one question go on per turn of the event loop', async () => {
    const line = new QuestionLine();
    const order: string[] = [];
    const turns = ['a', 'b', 'c'].map((name) => line.turn().then(() => order.push(name)));
    let rounds = 0;
    const count = (): void => {
      rounds += 1;
      if (order.length < 3) setImmediate(count);
    };
    setImmediate(count);
    await Promise.all(turns);
    expect(order).toEqual(['a', 'b', 'c']);
    expect(rounds).toBeGreaterThanOrEqual(2);
  });

  test('holds four heavy questions, two of a property, and others in the order of coming', async () => {
    const line = new QuestionLine();
    const inside: string[] = [];
    const enter = (property: string): Promise<void> =>
      line.enter(property, never).then(() => void inside.push(property));
    for (const property of ['a', 'a', 'a', 'b', 'c', 'd']) void enter(property);
    await settle();
    expect(inside).toEqual(['a', 'a', 'b', 'c']);
    expect([line.heavyCount, line.waitingCount]).toEqual([4, 2]);
    line.leave('b');
    await settle();
    // The third of a may not, though it came first.
    expect(inside.slice(4)).toEqual(['d']);
    line.leave('a');
    await settle();
    expect(inside.slice(5)).toEqual(['a']);
  });

  test('forgets who does not wait any more', async () => {
    const line = new QuestionLine({ atATime: 1, ofAProperty: 1 });
    await line.enter('a', never);
    const gone = new AbortController();
    const waiting = line.enter('b', gone.signal);
    gone.abort();
    expect(await waiting).toBe(false);
    expect(line.waitingCount).toBe(0);
    expect(await line.enter('b', gone.signal)).toBe(false);
  });
});

describe('a question', () => {
  const clock = new ManualClock(0);
  const start = (line: QuestionLine, signal?: AbortSignal): Turns =>
    new Turns({ line, clock, property: 'a', timeMs: 5000, signal });

  /** So much work, in slices of a millisecond. */
  async function work(turns: Turns, ms: number): Promise<void> {
    for (let done = 0; done < ms; done++) {
      clock.advanceMs(1);
      await turns.breathe();
    }
  }

  test('is heavy after ten milliseconds of work, and gives its place back', async () => {
    const line = new QuestionLine();
    const turns = start(line);
    await work(turns, 9);
    expect(line.heavyCount).toBe(0);
    await work(turns, 2);
    expect(line.heavyCount).toBe(1);
    turns.end();
    expect(line.heavyCount).toBe(0);
  });

  test('does not become heavy by waiting for others', async () => {
    const line = new QuestionLine();
    const turns = start(line);
    await turns.wait(
      Promise.resolve().then(() => {
        clock.advanceMs(500);
      }),
    );
    await work(turns, 5);
    expect(line.heavyCount).toBe(0);
    turns.end();
  });

  test('yields after a millisecond of work, however often it awaits what is there already', async () => {
    const turns = start(new QuestionLine());
    let isYielded = false;
    setImmediate(() => {
      isYielded = true;
    });
    for (let slice = 0; slice < 4; slice++) {
      await turns.wait(Promise.resolve());
      clock.advanceMs(0.3);
      await turns.breathe();
    }
    expect(isYielded).toBe(true);
    turns.end();
  });

  test('ends when its time is over', async () => {
    const turns = start(new QuestionLine());
    clock.advanceMs(4999);
    await turns.breathe();
    clock.advanceMs(1);
    await expect(turns.breathe()).rejects.toMatchObject({ code: 'CB_QUERY_TIMEOUT' });
    turns.end();
  });

  test('ends when nobody waits for it, also while it waits for a place', async () => {
    const line = new QuestionLine({ atATime: 1, ofAProperty: 1 });
    const other = start(line);
    await work(other, 12);
    const gone = new AbortController();
    const turns = start(line, gone.signal);
    const working = work(turns, 20);
    await settle();
    for (let round = 0; round < 30 && line.waitingCount === 0; round++) await settle();
    expect(line.waitingCount).toBe(1);
    gone.abort();
    await expect(working).rejects.toMatchObject({ code: 'CB_QUERY_CANCELLED' });
    turns.end();
    other.end();
    expect([line.heavyCount, line.waitingCount]).toEqual([0, 0]);
  });
});
