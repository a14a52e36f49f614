/** What a bench scenario is: a question, what its headline does not say, and a run that answers. */
export interface ScenarioContext {
  /** Small sizes that finish in seconds: shows that the scenario works, says nothing about speed. */
  readonly smoke: boolean;
  /** A directory of the scenario's own for results and logs. */
  readonly directory: string;
  readonly say: (line: string) => void;
}

export interface Scenario {
  readonly name: string;
  readonly question: string;
  readonly notMeasured: string;
  readonly run: (context: ScenarioContext) => Promise<ScenarioReport>;
}

export interface ScenarioFigure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** The bound that the figure should keep, if there is one: the most, or with `higherIsBetter` the least. */
  readonly bound?: number;
  readonly higherIsBetter?: boolean;
}

export interface ScenarioReport {
  readonly figures: readonly ScenarioFigure[];
  /** What went wrong: a run that was invalid, an audit that failed. */
  readonly problems: readonly string[];
}

/** True unless the figure misses its bound. A figure that is no number keeps none. */
export function keepsBound({ value, bound, higherIsBetter = false }: ScenarioFigure): boolean {
  if (bound === undefined) return true;
  return higherIsBetter ? value >= bound : value <= bound;
}

/** One figure as a line: `response p99 of 100 visitors        4.1 ms   (bound 20, kept)`. */
export function figureLine(figure: ScenarioFigure): string {
  const { name, value, unit, bound } = figure;
  const shown = `${name.padEnd(52)} ${Number(value.toPrecision(4))} ${unit}`;
  return bound === undefined
    ? shown
    : `${shown.padEnd(72)} (bound ${bound}: ${keepsBound(figure) ? 'kept' : 'MISSED'})`;
}
