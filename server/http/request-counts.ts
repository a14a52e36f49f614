/**
 * Requests by route and status, as plain numbers. A route is a path of the router, never what a client made up:
 * whatever no route is for counts as `other`, so that a scanner can't grow the table.
 */

/** Statuses are three digits; anything else counts as 0. */
const statuses = 600;

export const otherRoute = 'other';
/** Bytes that never became a request: no HTTP, too slow, headers too large. */
export const noRequest = 'none';

export class RequestCounts {
  /** Connections that are open now. */
  connections = 0;
  /** Connections that were refused because too many were open. */
  connectionsRefused = 0;
  readonly #routes = new Map<string, Float64Array>();

  /** The counts of one route by status, to be kept by who counts often. */
  of(route: string): Float64Array {
    let counts = this.#routes.get(route);
    if (counts === undefined) {
      counts = new Float64Array(statuses);
      this.#routes.set(route, counts);
    }
    return counts;
  }

  add(route: string, status: number): void {
    const counts = this.of(route);
    const at = status >= 100 && status < statuses ? status : 0;
    counts[at] = (counts[at] ?? 0) + 1;
  }

  /** Everything that was counted at least once. */
  *entries(): Generator<{ readonly route: string; readonly status: number; readonly count: number }> {
    for (const [route, counts] of this.#routes) {
      for (let status = 0; status < statuses; status++) {
        const count = counts[status] ?? 0;
        if (count > 0) yield { route, status, count };
      }
    }
  }
}
