/** Every form a comparison is given out in, by name, and the files that a session gets. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CrowdbeatError, messageOf } from '../../server/base/errors.ts';
import { junitXml } from './junit.ts';
import { markdown } from './markdown.ts';
import { hgrm } from './percentiles.ts';
import { prometheusText } from './prometheus.ts';
import { armWords, operationLatencies, type Reported } from './reported.ts';
import { bencherMetricFormat, githubActionBenchmark } from './services.ts';
import { terminalTable } from './terminal.ts';

/** Each makes its text from the same verdict, so no two of them can disagree. */
export const outputs = {
  text: terminalTable,
  markdown,
  junit: junitXml,
  json: ({ comparison }: Reported) => `${JSON.stringify(comparison, null, 2)}\n`,
  prometheus: prometheusText,
  'github-action-benchmark': githubActionBenchmark,
  bencher: bencherMetricFormat,
} as const satisfies Readonly<Record<string, (reported: Reported) => string>>;

export type OutputName = keyof typeof outputs;

export const outputNames = Object.keys(outputs) as readonly OutputName[];

/** File by output; `compare.json` is a record, written where records are. */
const fileNames: Readonly<Record<Exclude<OutputName, 'json'>, string>> = {
  text: 'summary.txt',
  markdown: 'summary.md',
  junit: 'junit.xml',
  prometheus: 'metrics.prom',
  'github-action-benchmark': 'github-action-benchmark.json',
  bencher: 'bencher.json',
};

/**
 * Writes every output and a `.hgrm` for each operation, kind and arm into a directory; gives the paths. Throws CB_FILE.
 */
export function writeOutputs(reported: Reported, directory: string): string[] {
  const texts: [name: string, text: string][] = [
    ...Object.entries(fileNames).map(([output, file]): [string, string] => [
      file,
      outputs[output as keyof typeof fileNames](reported),
    ]),
    ...operationLatencies(reported).map(({ op, kind, arm, histogram }): [string, string] => [
      `${op.replace(/[^\w.-]/g, '_')}-${kind}-${armWords[arm]}.hgrm`,
      hgrm(histogram),
    ]),
  ];
  return texts.map(([name, text]) => {
    const path = join(directory, name);
    try {
      mkdirSync(directory, { recursive: true });
      writeFileSync(path, text);
    } catch (error) {
      throw new CrowdbeatError('CB_FILE', `${path}: can't be written: ${messageOf(error)}`, { cause: error });
    }
    return path;
  });
}
