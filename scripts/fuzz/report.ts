/** What a run of the fuzzer says at its end. */
import { formatCount } from '../../server/base/units.ts';
import { type FuzzResult, faultsOf } from './run.ts';

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

export function reportText(result: FuzzResult, seed: number): string {
  const { memory, seconds, requests, cases, crowd } = result;
  const replies = [...result.statuses].sort(([a], [b]) => a - b);
  const faults = faultsOf(result, seed);
  const lines = [
    `seed ${seed}: ${formatCount(requests)} requests in ${formatCount(cases)} connections, ` +
      `${seconds.toFixed(1)} s, ${formatCount(requests / seconds)} requests/s`,
    `replies: ${replies.map(([status, count]) => `${status}: ${formatCount(count)}`).join(', ')}`,
    `memory of the collector: ${megabytes(memory.medianBytes)} (median); after the warm-up ` +
      `${memory.bytesPerRequest.toFixed(1)} bytes a request, ${megabytes(memory.grownBytes)} in all`,
    `crowd beside it: ${crowd.isExact ? `exact, ${crowd.words}` : crowd.words}`,
    ...faults.map((fault) => `FAULT ${fault}`),
    faults.length === 0 ? 'no fault found' : `${faults.length} faults`,
  ];
  return `${lines.join('\n')}\n`;
}
