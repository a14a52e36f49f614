/** What a live run answers to those who steer it from other terminals. */
import { formatCount } from '../../server/base/units.ts';
import type { CrowdRun } from './crowd-run.ts';
import { visitorsMax } from './options.ts';

export interface Answer {
  readonly ok: boolean;
  readonly text: string;
}

/** Undefined run: its collector is still starting. */
export class RunControl {
  #run: CrowdRun | undefined;
  #endRequested = false;
  /** Visitors asked for before the run was under way. */
  #addLater = 0;

  steer(run: CrowdRun): void {
    this.#run = run;
    if (this.#endRequested) run.end();
  }

  /** Called once arrivals have begun: what was asked for meanwhile follows. */
  underWay(): void {
    if (this.#addLater > 0) this.#run?.add(this.#addLater);
    this.#addLater = 0;
  }

  status(): Answer {
    const { places = 0 } = this.#run ?? {};
    return {
      ok: true,
      text: places === 0 ? 'a run is starting' : `a run is live with ${visitorsText(places)}`,
    };
  }

  add(visitors: number): Answer {
    const places = (this.#run?.places ?? 0) + this.#addLater;
    if (places + visitors > visitorsMax) {
      return {
        ok: false,
        text: `a run holds at most ${formatCount(visitorsMax)} visitors, this one has ${formatCount(places)}`,
      };
    }
    if (this.#endRequested) return { ok: false, text: 'the run is ending, nobody can be added' };
    if (this.#run === undefined || this.#run.places === 0) this.#addLater += visitors;
    else if (!this.#run.add(visitors)) return { ok: false, text: 'the run is ending, nobody can be added' };
    return { ok: true, text: `${visitorsText(visitors)} more, ${formatCount(places + visitors)} in all` };
  }

  sendHome(visitors: number): Answer {
    const sent = this.#run?.sendHome(visitors) ?? 0;
    if (sent === 0) return { ok: false, text: 'the run has nobody to send home' };
    return {
      ok: true,
      text: `${visitorsText(sent)} go home, ${formatCount(this.#run?.places ?? 0)} places stay`,
    };
  }

  stop(): Answer {
    this.#endRequested = true;
    this.#run?.end();
    return { ok: true, text: 'ending the run: visitors leave, open events settle …' };
  }
}

function visitorsText(count: number): string {
  return `${formatCount(count)} ${count === 1 ? 'visitor' : 'visitors'}`;
}
