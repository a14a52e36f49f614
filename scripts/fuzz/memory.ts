/** The memory of a process over time: does it grow? */
import { readFileSync } from 'node:fs';

/** Resident bytes of a process, from /proc; undefined if it is gone. */
export function residentBytes(pid: number): number | undefined {
  try {
    const kilobytes = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
  } catch {
    // No such process any more.
    return undefined;
  }
}

export interface MemorySample {
  /** Requests sent until then. */
  readonly requests: number;
  readonly bytes: number;
}

export interface MemoryVerdict {
  /** Least-squares slope of what came after the warm-up, bytes a request. */
  readonly bytesPerRequest: number;
  /** By how much that let it grow from the end of the warm-up to the end. */
  readonly grownBytes: number;
  readonly medianBytes: number;
  readonly isFlat: boolean;
}

/** Of the requests: caches fill, code is compiled, the heap finds its size. */
const warmUpShare = 0.4;
/**
 * V8 lets a heap breathe by so much without anything having leaked. Of a run of a million requests it is less than 200
 * bytes each; a short run can only find what leaks by the kilobyte.
 */
const grownShareMax = 1 / 3;

export function judgeMemory(samples: readonly MemorySample[]): MemoryVerdict {
  const last = samples.at(-1)?.requests ?? 0;
  const warm = samples.filter(({ requests }) => requests >= last * warmUpShare);
  const meanOf = (read: (sample: MemorySample) => number): number =>
    warm.reduce((sum, sample) => sum + read(sample), 0) / Math.max(1, warm.length);
  const meanRequests = meanOf(({ requests }) => requests);
  const meanBytes = meanOf(({ bytes }) => bytes);
  let products = 0;
  let squares = 0;
  for (const { requests, bytes } of warm) {
    products += (requests - meanRequests) * (bytes - meanBytes);
    squares += (requests - meanRequests) ** 2;
  }
  const bytesPerRequest = squares === 0 ? 0 : products / squares;
  const grownBytes = bytesPerRequest * last * (1 - warmUpShare);
  const sorted = warm.map(({ bytes }) => bytes).sort((a, b) => a - b);
  const medianBytes = sorted[Math.floor(sorted.length / 2)] ?? 0;
  return { bytesPerRequest, grownBytes, medianBytes, isFlat: grownBytes <= medianBytes * grownShareMax };
}
