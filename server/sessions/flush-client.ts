/** A flusher's way to its sessions over HTTP: any program with the rights to publish and to query and update sessions. */
import { CrowdbeatError } from '../base/errors.ts';
import type { WriteReply } from '../protocol/replies.ts';
import { CollectorClient } from './collector-client.ts';
import type { FlushConfig } from './flush-config.ts';
import type { FlushTarget } from './flusher.ts';
import type { SessionDocument } from './session-document.ts';

/**
 * What the collector takes for a person's browser, and for a bot: the events are about somebody else, and shall be
 * counted as whoever that was.
 */
const personAgent = 'Mozilla/5.0 (crowdbeat flusher)';
const botAgent = 'crowdbeat-flusher (bot)';

export function flushTargetOf(config: FlushConfig): FlushTarget {
  const client = new CollectorClient(config);
  const store = config.session;
  return {
    async claim(silentMs, limit) {
      const reply = await client.postJson('/session/expired', { store, silentMs, limit });
      return listOf<SessionDocument>(reply, 'items', '/session/expired');
    },
    async write(items, areBots) {
      // A write of which every event was rejected is a 400 with its reasons.
      const reply = await client.postJson(
        '/write',
        { items },
        { allowed: [400], agent: areBots ? botAgent : personAgent },
      );
      listOf(reply, 'results', '/write');
      return reply as WriteReply;
    },
    async end(sessions) {
      await client.post('/session/update', { store, ops: [{ delete: sessions }] });
    },
  };
}

function listOf<Item>(reply: unknown, name: string, path: string): readonly Item[] {
  const list =
    typeof reply === 'object' && reply !== null ? (reply as Record<string, unknown>)[name] : undefined;
  if (Array.isArray(list)) return list as Item[];
  const message = `POST ${path}: the reply has no list "${name}": ${JSON.stringify(reply).slice(0, 200)}`;
  throw new CrowdbeatError('CB_REFUSED', message);
}
