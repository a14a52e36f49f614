/** Events for tests: one that passes every rule, and a way to break it in one place. */
import type { EventRecord } from '../store/event-record.ts';
import type { Receipt } from './enrich.ts';

export const receivedMs = Date.UTC(2026, 10, 21, 17, 5, 9, 123);
export const receipt: Receipt = { receivedMs, ip: '192.0.2.7' };

export interface WireEvent {
  event: Record<string, unknown>;
  session: Record<string, unknown>;
  visitor: Record<string, unknown>;
  tab: Record<string, unknown>;
  page: Record<string, unknown>;
  source: Record<string, unknown>;
  [further: string]: unknown;
}

/** A view as a client sends it; the changes are merged into its groups. */
export function wireEvent(changes: Record<string, unknown> = {}): WireEvent {
  const event: WireEvent = {
    event: { type: 'view', time: receivedMs - 40, seq: 7, id: 'e-7' },
    session: { id: 's-1', start: receivedMs - 9000 },
    visitor: { id: 'v-1' },
    tab: { id: 't-1' },
    page: { path: '/shop', title: 'Shop' },
    source: { name: 'newsletter', campaign: 'spring' },
  };
  for (const [name, change] of Object.entries(changes)) {
    const group = event[name];
    const isMerge =
      typeof group === 'object' && typeof change === 'object' && change !== null && !Array.isArray(change);
    event[name] = isMerge ? { ...group, ...change } : change;
  }
  return event;
}

/** A proven event whose document is `bytes` long. */
export function record(eventId: string, bytes = 20): EventRecord {
  return {
    type: 'view',
    timeMs: receivedMs,
    visitorId: 'v-1',
    sessionId: undefined,
    sessionStartMs: undefined,
    tabId: '',
    seq: 0,
    eventId,
    source: undefined,
    campaign: undefined,
    pagePath: undefined,
    userId: undefined,
    isBot: false,
    json: JSON.stringify('x'.repeat(bytes - 2)),
  };
}
