/** What ingest lends to the session store: documents are proven and enriched as events are. */
import { enrichedJson, isTimeWithinLimits, type Receipt } from '../ingest/enrich.ts';
import { checkShape } from '../ingest/event-shape.ts';
import { parseEventTime } from '../ingest/event-time.ts';
import { rejectReasons } from '../protocol/event.ts';
import type { HeartbeatDoor } from '../sessions/heartbeat-door.ts';

export const heartbeatDoor: HeartbeatDoor<Receipt> = {
  shapeFault(document) {
    const reason = checkShape(document);
    return reason === undefined ? undefined : rejectReasons[reason];
  },
  readTime: parseEventTime,
  isTrusted: isTimeWithinLimits,
  enrich: enrichedJson,
};
