/** For tests: plays plans through, without any load or waiting. */
import { Crowd, type CrowdOptions } from './crowd.ts';
import { makePeople } from './people.ts';
import { shop } from './shop.ts';
import { type ActKind, acts, type Visitor } from './visitor.ts';

export interface PlannedAct {
  readonly kind: ActKind;
  readonly dueMs: number;
  readonly pageIndex: number;
  readonly seq: number;
}

const people = makePeople(1, 20);

export function testCrowd(options: Partial<CrowdOptions> = {}): Crowd {
  return new Crowd({
    seed: 1,
    runId: 'test',
    site: shop,
    people,
    heartbeatMs: 5000,
    phase: 'spread',
    ...options,
  });
}

/** Every act of a visit, to the end and with its leave. */
export function playVisit(visitor: Visitor): PlannedAct[] {
  const played: PlannedAct[] = [];
  while (visitor.dueMs !== Number.POSITIVE_INFINITY) {
    const { kind, dueMs, pageIndex, seq } = visitor;
    played.push({ kind, dueMs, pageIndex, seq });
    visitor.advance();
  }
  return played;
}

/** Calls `onAct` before each act of each visitor of one slot that is due before `untilMs`. */
export function playSlot(
  crowd: Crowd,
  slot: number,
  arrivalMs: number,
  untilMs: number,
  onAct: (visitor: Visitor) => void,
): void {
  let visitor = crowd.firstVisitor(slot, arrivalMs);
  while (visitor.dueMs < untilMs) {
    onAct(visitor);
    const leaving = visitor.kind === acts.leave;
    visitor.advance();
    if (leaving) visitor = crowd.nextVisitor(visitor);
  }
}
