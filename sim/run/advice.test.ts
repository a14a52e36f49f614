import { expect, test } from 'vitest';
import { connectionAdvice } from './advice.ts';

const latency = (p50: number) => ({ p50, p90: p50, p99: p50, p999: p50, max: p50, mean: p50, count: 10 });

test('waiting longer for a connection than for the answer is worth a word', () => {
  expect(connectionAdvice(latency(23_000), latency(6.46), 64)).toBe(
    'half of the events waited 23 s or more to be sent, answers took 6.46 ms: ' +
      'try more --connections than 64; if that changes nothing, the target is full',
  );
});

test('nobody is bothered with waits that are short, or shorter than the answers', () => {
  expect(connectionAdvice(latency(9), latency(1), 64)).toBeUndefined();
  expect(connectionAdvice(latency(50), latency(60), 64)).toBeUndefined();
  expect(connectionAdvice(undefined, latency(1), 64)).toBeUndefined();
});
