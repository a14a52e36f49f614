import { expect, test } from 'vitest';
import { deriveStream } from '../random/random-stream.ts';
import { DueQueue } from './due-queue.ts';

function drain(queue: DueQueue): [number, number][] {
  const order: [number, number][] = [];
  while (queue.size > 0) {
    const dueMs = queue.peekDueMs();
    order.push([dueMs, queue.popSlot()]);
  }
  return order;
}

test('an empty queue is due never and gives slot -1', () => {
  const queue = new DueQueue();
  expect([queue.size, queue.peekDueMs(), queue.popSlot()]).toEqual([0, Infinity, -1]);
});

test('slots come by due time', () => {
  const queue = new DueQueue();
  for (const [slot, dueMs] of [
    [1, 30.5],
    [2, 10],
    [3, 20],
    [4, 30.25],
  ] as const)
    queue.push(slot, dueMs);
  expect(drain(queue)).toEqual([
    [10, 2],
    [20, 3],
    [30.25, 4],
    [30.5, 1],
  ]);
});

test('slots due at the same time come by number, whatever the order in which they were entered', () => {
  const queue = new DueQueue();
  for (const slot of [5, 3, 9, 0, 7, 1, 8, 2, 6, 4]) queue.push(slot, 100);
  expect(drain(queue).map(([, slot]) => slot)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

test('pushing a slot again gives it another time, earlier or later', () => {
  const queue = new DueQueue();
  for (const slot of [0, 1, 2]) queue.push(slot, 10 * (slot + 1));
  queue.push(2, 5);
  queue.push(0, 25);
  expect(queue.size).toBe(3);
  expect(drain(queue)).toEqual([
    [5, 2],
    [20, 1],
    [25, 0],
  ]);
});

test('a removed slot does not come, and can be entered again', () => {
  const queue = new DueQueue();
  for (const slot of [0, 1, 2]) queue.push(slot, slot);
  expect([queue.remove(1), queue.remove(1), queue.remove(77), queue.has(1)]).toEqual([
    true,
    false,
    false,
    false,
  ]);
  queue.push(1, 0.5);
  expect(drain(queue).map(([, slot]) => slot)).toEqual([0, 1, 2]);
});

test('a slot that is due at infinity comes last', () => {
  const queue = new DueQueue();
  queue.push(4, Number.POSITIVE_INFINITY);
  queue.push(5, 1e300);
  expect(drain(queue).map(([, slot]) => slot)).toEqual([5, 4]);
});

test('it grows past its first capacity and to slot numbers far above it', () => {
  const queue = new DueQueue(2);
  const stream = deriveStream(31, 0);
  const slots = Array.from({ length: 5000 }, (_value, index) => index * 37);
  for (const slot of slots) queue.push(slot, stream.next());
  const order = drain(queue);
  expect(order.map(([dueMs]) => dueMs)).toEqual(order.map(([dueMs]) => dueMs).sort((a, b) => a - b));
  expect(order.map(([, slot]) => slot).sort((a, b) => a - b)).toEqual(slots);
});

test.each([
  [-1, 0],
  [1.5, 0],
  [0, Number.NaN],
])('slot %d due at %d is refused', (slot, dueMs) => {
  expect(() => new DueQueue().push(slot, dueMs)).toThrow('slot');
});
