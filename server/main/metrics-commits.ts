/** What a property's commits cost and gave, noted once a batch. */
import type { Clock } from '../base/clock.ts';
import { CrowdbeatError } from '../base/errors.ts';
import type { PropertyCommits } from '../ingest/batcher.ts';
import type { EventCounts } from '../ingest/event-counts.ts';
import { PlainHistogram } from './metrics-histogram.ts';

export class CommitCounts {
  readonly batchEvents = new PlainHistogram([1, 2, 4, 8, 16, 32, 64]);
  /** Seconds from handing a batch to the store until Redis has applied it. */
  readonly commitSeconds = new PlainHistogram([
    0.0005, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 0.512, 1.024, 2.048, 4.096,
  ]);
  /** Commits that failed, by the code of the error. */
  readonly errors = new Map<string, number>();
}

/** The same store, with every commit noted. */
export function meteredCommits(
  store: PropertyCommits,
  commits: CommitCounts,
  events: EventCounts,
  clock: Clock,
): PropertyCommits {
  return {
    async commit(batch) {
      const startMs = clock.monotonicMs();
      commits.batchEvents.observe(batch.length);
      try {
        const outcomes = await store.commit(batch);
        events.settled(outcomes);
        return outcomes;
      } catch (thrown) {
        const code = thrown instanceof CrowdbeatError ? thrown.code : 'internal';
        commits.errors.set(code, (commits.errors.get(code) ?? 0) + 1);
        throw thrown;
      } finally {
        commits.commitSeconds.observe((clock.monotonicMs() - startMs) / 1000);
      }
    },
    get lineage() {
      return store.lineage;
    },
    close: () => store.close?.(),
  };
}
