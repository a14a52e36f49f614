/** A histogram that costs a short scan per observation and is turned into prom-client's form when it is read. */
import { Histogram, type MetricObjectWithValues, type MetricValueWithName } from 'prom-client';

/** Counts of observations up to each bound, and of those above all. */
export class PlainHistogram {
  /** Ascending, inclusive. */
  readonly bounds: readonly number[];
  readonly counts: number[];
  sum = 0;

  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.counts = new Array<number>(bounds.length + 1).fill(0);
  }

  observe(value: number): void {
    let at = 0;
    while (at < this.bounds.length && value > (this.bounds[at] as number)) at++;
    this.counts[at] = (this.counts[at] ?? 0) + 1;
    this.sum += value;
  }
}

type HistogramValues = MetricObjectWithValues<MetricValueWithName<string>>;

/** A `PlainHistogram` as a metric of a registry. Observing through prom-client would hash labels each time. */
export class ReadHistogram extends Histogram<string> {
  readonly #name: string;
  readonly #help: string;
  readonly #plain: PlainHistogram;

  constructor(name: string, help: string, plain: PlainHistogram) {
    super({ name, help, registers: [] });
    this.#name = name;
    this.#help = help;
    this.#plain = plain;
  }

  override async get(): Promise<HistogramValues> {
    const name = this.#name;
    const values: MetricValueWithName<string>[] = [];
    let count = 0;
    for (const [at, own] of this.#plain.counts.entries()) {
      count += own;
      const le = this.#plain.bounds[at] ?? '+Inf';
      values.push({ labels: { le }, value: count, metricName: `${name}_bucket` });
    }
    values.push({ labels: {}, value: this.#plain.sum, metricName: `${name}_sum` });
    values.push({ labels: {}, value: count, metricName: `${name}_count` });
    // The declared type has numbers for the kinds; what a registry reads is the word.
    const metric = { name, help: this.#help, type: 'histogram', values, aggregator: 'sum' };
    return metric as unknown as HistogramValues;
  }

  /** What a registry asks for when it writes its text. */
  getForPromString(): Promise<HistogramValues> {
    return this.get();
  }
}
