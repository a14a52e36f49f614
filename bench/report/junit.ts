/** A comparison as JUnit XML: one test case for each gated metric, so that a CI service shows it as it shows tests. */
import type { MetricResult } from '../compare/index.ts';
import { changeText, intervalText, metricVerdict, valueText } from './figures.ts';
import type { Reported } from './reported.ts';

export function junitXml({ comparison }: Reported): string {
  const gated = comparison.metrics.filter((metric) => metric.gated);
  const count = (verdict: MetricResult['verdict']): number =>
    gated.filter((metric) => metric.verdict === verdict).length;
  const broken = comparison.verdict === 'INVALID' || comparison.verdict === 'NOT_COMPARABLE' ? 1 : 0;
  const attributes = {
    name: 'crowdbeat.compare',
    tests: gated.length + broken,
    failures: count('REGRESSED'),
    errors: count('INVALID') + broken,
    skipped: count('INCONCLUSIVE'),
  };
  const properties = {
    verdict: comparison.verdict,
    session: comparison.session,
    base: comparison.base.sha ?? '',
    candidate: comparison.candidate.sha ?? '',
    envClass: comparison.envClass,
    workloadHash: comparison.workloadHash,
  };
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuite${attributesOf(attributes)}>`,
    '  <properties>',
    ...Object.entries(properties).map(([name, value]) => `    <property${attributesOf({ name, value })}/>`),
    '  </properties>',
    ...gated.flatMap(caseLines),
    ...(broken === 0 ? [] : sessionCase(comparison.verdict, comparison.reasons)),
    '</testsuite>',
    '',
  ].join('\n');
}

function caseLines(metric: MetricResult): string[] {
  const head = attributesOf({ classname: metric.group, name: metric.name });
  const said = outcome(metric);
  if (said === undefined) return [`  <testcase${head}/>`];
  return [`  <testcase${head}>`, `    ${said}`, '  </testcase>'];
}

function outcome(metric: MetricResult): string | undefined {
  const { name, unit, base, candidate, change, wide, verdict, margin } = metric;
  const figures =
    `${name}: ${valueText(base, unit)} -> ${valueText(candidate, unit)}, ${changeText(change)} ` +
    `${intervalText(wide)}, margin ${Number((margin * 100).toFixed(1))}%`;
  const message = metricVerdict(metric);
  if (verdict === 'REGRESSED')
    return `<failure${attributesOf({ type: verdict, message })}>${escapeXml(figures)}</failure>`;
  if (verdict === 'INVALID')
    return `<error${attributesOf({ type: verdict, message })}>${escapeXml(figures)}</error>`;
  return verdict === 'INCONCLUSIVE' ? `<skipped${attributesOf({ message })}/>` : undefined;
}

/** What spoils the whole belongs to no metric, and must not be missed where only cases are looked at. */
function sessionCase(verdict: string, reasons: readonly string[]): string[] {
  return [
    `  <testcase${attributesOf({ classname: 'session', name: 'measurement' })}>`,
    `    <error${attributesOf({ type: verdict, message: reasons.join('; ') })}/>`,
    '  </testcase>',
  ];
}

function attributesOf(attributes: Readonly<Record<string, string | number>>): string {
  return Object.entries(attributes)
    .map(([name, value]) => ` ${name}="${escapeXml(String(value))}"`)
    .join('');
}

/** Control characters have no place in XML 1.0, not even as numbers. */
function escapeXml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replace(/\p{Cc}/gu, ' ');
}
