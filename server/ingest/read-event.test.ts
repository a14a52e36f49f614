import { describe, expect, it } from 'vitest';
import { limits } from '../protocol/limits.ts';
import { receipt, receivedMs, wireEvent } from './event.testing.ts';
import { readEvent } from './read-event.ts';

const read = (value: unknown) => readEvent(value, undefined, receipt);
const nested = (levels: number): unknown => (levels === 0 ? 1 : { a: nested(levels - 1) });

describe('readEvent', () => {
  it('reads every field of an event', () => {
    expect(read(wireEvent({ user: { id: 'u-1' } }))).toMatchObject({
      type: 'view',
      timeMs: receivedMs - 40,
      visitorId: 'v-1',
      sessionId: 's-1',
      sessionStartMs: receivedMs - 9000,
      tabId: 't-1',
      seq: 7,
      eventId: 'e-7',
      source: 'newsletter',
      campaign: 'spring',
      pagePath: '/shop',
      userId: 'u-1',
    });
  });

  it('needs no more than a type and a visitor', () => {
    expect(read({ event: { type: 'ping' }, visitor: { id: 'v' } })).toEqual({
      type: 'ping',
      timeMs: receivedMs,
      visitorId: 'v',
      sessionId: undefined,
      sessionStartMs: undefined,
      tabId: '',
      seq: 0,
      eventId: undefined,
      source: undefined,
      campaign: undefined,
      pagePath: undefined,
      userId: undefined,
      isBot: false,
      json: `{"event":{"type":"ping"},"visitor":{"id":"v"},"_m1":{"receivedUTC":${receivedMs},"ip":"192.0.2.7"}}`,
    });
  });

  const long = 'x'.repeat(129);
  it.each([
    ['not_an_object', 7],
    ['not_an_object', null],
    ['not_an_object', ['event']],
    ['missing_type', wireEvent({ event: { type: undefined } })],
    ['missing_type', {}],
    ['invalid_type', wireEvent({ event: { type: '' } })],
    ['invalid_type', wireEvent({ event: { type: long } })],
    ['invalid_type', wireEvent({ event: { type: 7 } })],
    ['invalid_type', wireEvent({ event: { type: 'half \ud83d pair' } })],
    ['missing_visitor', wireEvent({ visitor: { id: undefined } })],
    ['missing_visitor', { event: { type: 'view' } }],
    ['invalid_visitor', wireEvent({ visitor: { id: 12 } })],
    ['invalid_visitor', wireEvent({ visitor: { id: '\udc00' } })],
    ['invalid_session', wireEvent({ session: { id: '' } })],
    ['invalid_session_start', wireEvent({ session: { start: 'yesterday' } })],
    ['invalid_tab', wireEvent({ tab: { id: long } })],
    ['invalid_time', wireEvent({ event: { time: '2026-11-21T17:05:09' } })],
    ['invalid_time', wireEvent({ event: { time: null } })],
    ['invalid_seq', wireEvent({ event: { seq: 0 } })],
    ['invalid_seq', wireEvent({ event: { seq: 1.5 } })],
    ['invalid_seq', wireEvent({ event: { seq: '7' } })],
    ['invalid_seq', wireEvent({ event: { seq: limits.seqMax + 1 } })],
    ['seq_without_session', wireEvent({ session: { id: undefined } })],
    ['invalid_id', wireEvent({ event: { id: {} } })],
    ['invalid_source', wireEvent({ source: { name: 5 } })],
    ['invalid_source', wireEvent({ source: { campaign: '' } })],
    ['invalid_source', wireEvent({ source: { name: undefined } })],
    ['invalid_page', wireEvent({ page: { path: 1 } })],
    ['invalid_group', wireEvent({ event: 'view' })],
    ['invalid_group', wireEvent({ session: [] })],
    ['invalid_group', wireEvent({ visitor: null })],
    ['invalid_group', wireEvent({ tab: 't' })],
    ['invalid_group', wireEvent({ page: '/shop' })],
    ['invalid_group', wireEvent({ source: 'newsletter' })],
    ['forbidden_name', JSON.parse('{"event":{"type":"view"},"visitor":{"id":"v"},"__proto__":{"x":1}}')],
    [
      'forbidden_name',
      JSON.parse('{"event":{"type":"view","data":[{"\\u005f_proto__":1}]},"visitor":{"id":"v"}}'),
    ],
    ['forbidden_name', wireEvent({ page: { constructor: 1 } })],
    ['forbidden_name', wireEvent({ data: { prototype: 1 } })],
    ['too_deep', wireEvent({ data: nested(8) })],
    ['too_many_members', wireEvent({ data: Array.from({ length: limits.eventMembersMax - 6 }, () => 1) })],
    ['too_large', wireEvent({ data: 'é'.repeat(16_384) })],
  ])('rejects with %s what breaks that rule', (reason, value) => {
    expect(read(value)).toBe(reason);
  });

  it('accepts the deepest, the widest and the largest event that the limits allow', () => {
    expect(read(wireEvent({ data: nested(7) }))).toHaveProperty('type', 'view');
    const members = 6 + 4 + 2 + 1 + 1 + 2 + 2 + 1;
    expect(
      read(wireEvent({ data: Array.from({ length: limits.eventMembersMax - members }, () => 1) })),
    ).toHaveProperty('type');
    expect(
      read(wireEvent({ data: Array.from({ length: limits.eventMembersMax - members + 1 }, () => 1) })),
    ).toBe('too_many_members');
    const overhead = Buffer.byteLength((read(wireEvent({ data: '' })) as { json: string }).json);
    expect(read(wireEvent({ data: 'x'.repeat(limits.eventBytesMax - overhead) }))).toHaveProperty('type');
    expect(read(wireEvent({ data: 'x'.repeat(limits.eventBytesMax - overhead + 1) }))).toBe('too_large');
  });

  it('takes an event time 7 days back and 5 minutes ahead, and the received time beyond', () => {
    for (const time of [receivedMs - limits.eventAgeMsMax, receivedMs + limits.eventAheadMsMax]) {
      const taken = read(wireEvent({ event: { time } })) as { timeMs: number; json: string };
      expect(taken.timeMs).toBe(time);
      expect(JSON.parse(taken.json)._m1).toEqual({ receivedUTC: receivedMs, ip: '192.0.2.7' });
    }
    for (const time of [receivedMs - limits.eventAgeMsMax - 1, receivedMs + limits.eventAheadMsMax + 1, -1]) {
      const corrected = read(wireEvent({ event: { time } })) as { timeMs: number; json: string };
      expect(corrected.timeMs).toBe(receivedMs);
      expect(JSON.parse(corrected.json)._m1).toEqual({
        receivedUTC: receivedMs,
        ip: '192.0.2.7',
        time: 'received',
      });
    }
  });

  it('does not let a session start from a wrong clock decide the day of the session', () => {
    expect(read(wireEvent({ session: { start: receivedMs + limits.eventAheadMsMax + 1 } }))).toHaveProperty(
      'sessionStartMs',
      undefined,
    );
  });

  it('keeps a user id that is a text, and refuses no event for any other', () => {
    for (const user of [5, null, 'u-1', {}, { id: 5 }, { id: '' }]) {
      expect(read(wireEvent({ user }))).toHaveProperty('userId', undefined);
    }
  });

  it('cuts a long page path for session info without cutting a surrogate pair', () => {
    const path = `${'p'.repeat(limits.pagePathLengthMax - 1)}😀`;
    const taken = read(wireEvent({ page: { path } })) as { pagePath: string; json: string };
    expect(taken.pagePath).toBe('p'.repeat(limits.pagePathLengthMax - 1));
    expect(JSON.parse(taken.json).page.path).toBe(path);
  });
});
