/**
 * A query as text again, in one canonical form; `parseLucene` of it, at the same NOW, gives an equal query. For
 * logs and for tests. A text printed may be longer, and nested one deeper, than the text it came from.
 */
import type { Literal, Query, RangeQuery } from './query.ts';

export function printQuery(query: Query): string {
  switch (query.kind) {
    case 'all':
      return '*:*';
    case 'term':
      return `${escapeWord(query.field)}:${printLiteral(query.value)}`;
    case 'prefix':
      return `${escapeWord(query.field)}:${escapeWord(query.prefix)}*`;
    case 'exists':
      return `${escapeWord(query.field)}:*`;
    case 'range':
      return `${escapeWord(query.field)}:${printRange(query)}`;
    case 'not':
      return `NOT ${printMember(query.member)}`;
    case 'and':
      return query.members
        .map((member) => (member.kind === 'or' ? `(${printQuery(member)})` : printQuery(member)))
        .join(' AND ');
    case 'or':
      return query.members.map(printQuery).join(' OR ');
    default: {
      const never: never = query;
      return never;
    }
  }
}

function printMember(query: Query): string {
  return query.kind === 'and' || query.kind === 'or' ? `(${printQuery(query)})` : printQuery(query);
}

function printLiteral({ text, quoted }: Literal): string {
  return quoted ? `"${text.replace(/["\\]/g, '\\$&')}"` : escapeWord(text);
}

function printRange({ min, max, includeMin, includeMax }: RangeQuery): string {
  const end = (literal: Literal | undefined): string => (literal === undefined ? '*' : printLiteral(literal));
  return `${includeMin ? '[' : '{'}${end(min)} TO ${end(max)}${includeMax ? ']' : '}'}`;
}

const special = /[\s()[\]{}"\\~^?*:]|^[+\-!/<>&|]/g;

/** An escaped first letter keeps a word from being an operator; none of them is the `u` of `\u0041`. */
function escapeWord(text: string): string {
  if (text === 'AND' || text === 'OR' || text === 'NOT' || text === 'TO') return `\\${text}`;
  return text.replace(special, '\\$&');
}
