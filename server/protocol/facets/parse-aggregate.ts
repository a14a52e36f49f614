/** `unique(visitor.id)`, `percentile(page.loadMs,50,99)`. */
import { parseNumber } from '../lucene/literal.ts';
import { type Aggregate, facetLimits } from './facet.ts';
import { FacetFault, shown } from './reading.ts';

const plain = ['unique', 'sum', 'avg', 'min', 'max'] as const;

const callRule = 'needs unique, sum, avg, min, max or percentile of a field, such as unique(visitor.id)';

/** @param fieldAt proves a field's name, or throws */
export function parseAggregate(
  name: string,
  text: string,
  path: string,
  fieldAt: (field: string, path: string) => string,
): Aggregate {
  const open = text.indexOf('(');
  if (open === -1 || !text.endsWith(')')) throw new FacetFault(path, `${callRule}, got ${shown(text)}`);
  const called = text.slice(0, open).trim();
  const [first = '', ...rest] = text
    .slice(open + 1, -1)
    .split(',')
    .map((argument) => argument.trim());
  if (first === '') throw new FacetFault(path, `${callRule}, got ${shown(text)}`);
  const field = fieldAt(first, path);
  if (called === 'percentile')
    return { kind: 'percentile', name, field, percents: parsePercents(rest, path) };
  const kind = plain.find((known) => known === called);
  if (kind === undefined) throw new FacetFault(path, `${callRule}, got ${shown(text)}`);
  if (rest.length > 0) throw new FacetFault(path, `${kind} takes one field, got ${shown(text)}`);
  return { kind, name, field };
}

function parsePercents(given: readonly string[], path: string): readonly number[] {
  if (given.length === 0 || given.length > facetLimits.percentsMax) {
    const rule = `percentile takes a field and 1 to ${facetLimits.percentsMax} numbers, such as percentile(page.loadMs,50,99)`;
    throw new FacetFault(path, rule);
  }
  return given.map((text) => {
    const percent = parseNumber(text);
    if (percent !== undefined && percent >= 0 && percent <= 100) return percent;
    throw new FacetFault(path, `a percentile is a number from 0 to 100, got ${shown(text)}`);
  });
}
