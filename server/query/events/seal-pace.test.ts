import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../base/clock.ts';
import { SealPace } from './seal-pace.ts';

/** A process whose load a test sets. */
function busyProcess() {
  const clock = new ManualClock(0);
  const times = { activeMs: 1000, idleMs: 9000 };
  const state = { queued: 0 };
  const load = { loop: () => ({ ...times }), queuedEvents: () => state.queued };
  const pace = new SealPace({ clock, load, backlogMax: 3, waitMsMax: 60_000 });
  return {
    pace,
    state,
    pass: (activeMs: number, idleMs: number) => {
      times.activeMs += activeMs;
      times.idleMs += idleMs;
      clock.advanceMs(activeMs + idleMs);
    },
  };
}

describe('the pace of sealing', () => {
  it.each([
    ['free up to four tenths of the time', 400, 600, 'free'],
    ['waiting above', 401, 599, 'waiting'],
  ])('is %s', async (_name, activeMs, idleMs, expected) => {
    const { pace, pass } = busyProcess();
    pass(activeMs, idleMs);
    expect(await pace.look(1, 0)).toBe(expected);
  });

  it('is waiting while batches queue up, however idle the loop', async () => {
    const { pace, pass, state } = busyProcess();
    pass(0, 1000);
    state.queued = 512;
    expect(await pace.look(1, 0)).toBe('free');
    pass(0, 1000);
    state.queued = 513;
    expect(await pace.look(1, 0)).toBe('waiting');
  });

  it.each([
    ['more segments than may wait', 4, 0, 'pressed'],
    ['as many as may wait', 3, 59_999, 'waiting'],
    ['one that waited too long', 1, 60_000, 'pressed'],
  ])('of a busy process is decided by %s', async (_name, waiting, longestMs, expected) => {
    const { pace, pass } = busyProcess();
    pass(900, 100);
    expect(await pace.look(waiting, longestMs)).toBe(expected);
    pass(0, 100_000);
    expect(await pace.look(waiting, longestMs)).toBe('free');
  });

  it('does not count the time before it was marked, in which it sealed itself', async () => {
    const { pace, pass } = busyProcess();
    pass(5000, 0);
    pace.mark();
    pass(10, 990);
    expect(await pace.look(1, 0)).toBe('free');
  });

  it('is that of the last interval, not of all there were', async () => {
    const { pace, pass } = busyProcess();
    pass(50_000, 0);
    expect(await pace.look(1, 0)).toBe('waiting');
    pass(100, 900);
    expect(await pace.look(1, 0)).toBe('free');
    pass(900, 100);
    expect(await pace.look(1, 0)).toBe('waiting');
  });

  it('is free where there is nothing to give way to', async () => {
    const pace = new SealPace({ clock: new ManualClock(0) });
    expect(await pace.look(1000, 1e9)).toBe('free');
  });

  it('lets timers have their turn between two turns of work when it is pressed', async () => {
    const { pace, pass } = busyProcess();
    pass(900, 100);
    expect(await pace.look(9, 0)).toBe('pressed');
    let isRung = false;
    setTimeout(() => {
      isRung = true;
    }, 0);
    await pace.endTurn();
    expect(isRung).toBe(true);
  });
});
