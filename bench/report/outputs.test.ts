import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Comparison, compareSession, type MetricResult } from '../compare/index.ts';
import { sampleSession, sampleTrial } from '../record/session.testing.ts';
import { junitXml } from './junit.ts';
import { commentLengthMax, markdown, stickyKey } from './markdown.ts';
import { outputNames, outputs, writeOutputs } from './outputs.ts';
import { madeSession, regressedReport } from './reported.testing.ts';
import { terminalTable } from './terminal.ts';

const regressed = regressedReport();
const same = madeSession();
const sameReport = { stored: same, comparison: compareSession(same, { tool: '0.1.0' }) };

test.each(outputNames)(
  'the output %s of a confirmed regression is what was looked at and kept',
  async (name) => {
    await expect(outputs[name](regressed)).toMatchFileSnapshot(`fixtures/regressed.${name}.golden`);
  },
);

test('the verdict is the last line of the terminal, and colour is there only when asked for', () => {
  const lines = terminalTable(regressed).trimEnd().split('\n');
  expect(lines.at(-1)).toMatch(/^verdict: REGRESSED\. /);
  expect(lines.join('')).not.toContain('\u001b');
  expect(terminalTable(regressed, { color: true })).toContain('\u001b[31mREGRESSED\u001b[0m');
});

test('a session without a difference fails no test case, and one that is invalid can not be missed', () => {
  expect(junitXml(sameReport)).toMatch(/failures="0" errors="0" skipped="0"/);
  const bad = { session: sampleSession(), trials: [sampleTrial(1, 'B', 100)], notes: [] };
  const comparison = compareSession(bad, { tool: '0.1.0' });
  const text = junitXml({ comparison, stored: bad });
  expect(comparison.verdict).toBe('INVALID');
  expect(text).toContain('errors="1"');
  expect(text).toContain('no pair of trials was finished');
  expect(outputs.prometheus({ comparison, stored: null })).toContain('verdict="INVALID"} 1');
});

test('text of a record can not break out of XML, Markdown or a label', () => {
  const [first, ...rest] = regressed.comparison.metrics as [MetricResult, ...MetricResult[]];
  const hostile = 'a"b<c>|`\n\u0000&';
  const comparison: Comparison = {
    ...regressed.comparison,
    reasons: [hostile],
    metrics: [{ ...first, name: hostile, gated: true }, ...rest],
  };
  const xml = junitXml({ comparison, stored: null });
  expect(xml).toContain('name="a&quot;b&lt;c&gt;|`  &amp;"');
  const text = markdown({ comparison, stored: null });
  expect(text).toContain('a"b&lt;c>\\|\\`');
  expect(outputs.prometheus({ comparison, stored: null })).toContain('metric="a\\"b<c>|`\\n');
});

test('a comment is never longer than a comment may be, and is found again by its first line', () => {
  const comparison = {
    ...regressed.comparison,
    notes: new Array<string>(3000).fill('a note of some length'),
  };
  const text = markdown({ comparison, stored: regressed.stored });
  expect(text.length).toBeLessThanOrEqual(commentLengthMax + 1);
  expect(text).toContain('…shortened');
  expect(text.split('\n')[0]).toBe(stickyKey('mixed'));
});

test('a session gets a file for each output and a percentile file for each operation, kind and arm', () => {
  const directory = mkdtempSync(join(tmpdir(), 'crowdbeat-outputs-'));
  try {
    const paths = writeOutputs(regressed, join(directory, 'new'));
    expect(paths).toHaveLength(14);
    expect(readdirSync(join(directory, 'new'))).toContain('query.and-response-candidate.hgrm');
    expect(readFileSync(join(directory, 'new', 'summary.txt'), 'utf8')).toBe(outputs.text(regressed));
    writeFileSync(join(directory, 'file'), '');
    expect(() => writeOutputs(regressed, join(directory, 'file'))).toThrow(/can't be written/);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
