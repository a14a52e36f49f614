/**
 * `q` as text to a Query. docs/query-language.md has the grammar; this is its recursive descent.
 *
 * Operators bind as in every programming language, NOT before AND before OR, and OR before clauses that
 * merely stand side by side. Among those Lucene's rule holds: each with `+` must match, none with `-` or
 * NOT may, and without a `+` at least one of the others must. So `a b` is either, and `-a` alone is all
 * without a. It is the precedence of Lucene's PrecedenceQueryParser, not that of its classic one, to which
 * `a OR b AND c` means "b and c, whatever a says".
 */
import { parseValue, type ValueContext } from './parse-value.ts';
import { fieldOf, type LuceneError, luceneLimits, type Query } from './query.ts';
import { catchFault, type Scanner } from './scanner.ts';

export interface ParseOptions {
  /** What NOW means, epoch ms. Without it a range with NOW is refused. */
  readonly nowMs?: number;
  /** The fields that there are; any other is refused. Without it every name is a field. */
  readonly fields?: { has(name: string): boolean };
}

/** Reads a `q`. Never throws: what can't be read comes back as a LuceneError. */
export function parseLucene(text: string, options: ParseOptions = {}): Query | LuceneError {
  return catchFault(text, (scanner) => new Parser(scanner, options).whole());
}

/** How a clause takes part in a list of clauses that stand side by side. */
type Occur = 'must' | 'should' | 'mustNot';

interface Clause {
  readonly occur: Occur;
  readonly query: Query;
}

const fieldRule = 'every value needs its field, as in page.path:home; there is no default field';

class Parser {
  readonly scanner: Scanner;
  readonly context: ValueContext;
  readonly fields: { has(name: string): boolean } | undefined;

  constructor(scanner: Scanner, options: ParseOptions) {
    this.scanner = scanner;
    this.fields = options.fields;
    this.context = { nowMs: options.nowMs, terms: 0 };
  }

  whole(): Query {
    const { scanner } = this;
    scanner.skipSpace();
    if (scanner.peek() === undefined) scanner.fail('a query is missing; * finds everything');
    const query = this.list(undefined, 0);
    if (scanner.peek() !== undefined) scanner.fail('this ) has no ( before it');
    return query;
  }

  /** Clauses side by side, up to the end or to a `)`, which stays unread. */
  list(field: string | undefined, depth: number): Query {
    const { scanner } = this;
    const clauses: Clause[] = [];
    for (scanner.skipSpace(); scanner.peek() !== undefined; scanner.skipSpace()) {
      if (scanner.peek() === ')') break;
      clauses.push(this.alternatives(field, depth));
    }
    if (clauses.length === 0) {
      scanner.fail(depth === 0 ? 'this ) has no ( before it' : 'there is nothing behind this (');
    }
    return combine(clauses);
  }

  /** `a OR b OR c`; a clause alone keeps its sign. */
  alternatives(field: string | undefined, depth: number): Clause {
    const first = this.conjunction(field, depth);
    if (!this.takeOperator('OR', '||')) return first;
    const members = [plain(first)];
    do members.push(plain(this.conjunction(field, depth)));
    while (this.takeOperator('OR', '||'));
    return { occur: 'should', query: join('or', members) };
  }

  conjunction(field: string | undefined, depth: number): Clause {
    const first = this.signed(field, depth);
    if (!this.takeOperator('AND', '&&')) return first;
    const members = [plain(first)];
    do members.push(plain(this.signed(field, depth)));
    while (this.takeOperator('AND', '&&'));
    return { occur: 'should', query: join('and', members) };
  }

  takeOperator(word: string, sign: string): boolean {
    const { scanner } = this;
    scanner.skipSpace();
    return scanner.takeKeyword(word) || scanner.take(sign);
  }

  signed(field: string | undefined, depth: number): Clause {
    const { scanner } = this;
    scanner.skipSpace();
    const start = scanner.at;
    if (scanner.takeKeyword('NOT') || scanner.take('-') || scanner.take('!')) {
      this.checkDepth(depth, start);
      return { occur: 'mustNot', query: plain(this.signed(field, depth + 1)) };
    }
    if (!scanner.take('+')) return { occur: 'should', query: this.primary(field, depth) };
    this.checkDepth(depth, start);
    return { occur: 'must', query: plain(this.signed(field, depth + 1)) };
  }

  primary(field: string | undefined, depth: number): Query {
    const { scanner } = this;
    this.checkOperand();
    if (scanner.peek() === '(') return this.group(field, depth);
    if (field !== undefined) return parseValue(scanner, field, this.context, true);
    if (scanner.take('*:*') || this.takeStar()) return { kind: 'all' };
    const named = this.fieldName();
    if (scanner.peek() === '(') return this.group(named, depth);
    return parseValue(scanner, named, this.context, false);
  }

  takeStar(): boolean {
    const { scanner } = this;
    if (scanner.peek() !== '*') return false;
    if (scanner.peek(1) === ':') scanner.fail('* is no field; *:* is every document');
    const word = scanner.word(':');
    return word.starred && word.text === '';
  }

  /** An operator, a `)` or the end can't stand where a value must. */
  checkOperand(): void {
    const { scanner } = this;
    if (scanner.peek() === undefined) scanner.fail('the text ends where a field and value must follow');
    if (scanner.peek() === ')') scanner.fail('a field and value must stand before this )');
    for (const operator of ['AND', 'OR', '&&', '||']) {
      const isHere =
        operator.startsWith('A') || operator.startsWith('O')
          ? scanner.isKeyword(operator)
          : scanner.text.startsWith(operator, scanner.at);
      if (isHere)
        scanner.fail(`${operator} needs a clause on either side; put it in quotes if it is a value`);
    }
  }

  group(field: string | undefined, depth: number): Query {
    const { scanner } = this;
    const start = scanner.at;
    this.checkDepth(depth, start);
    scanner.take('(');
    const query = this.list(field, depth + 1);
    if (!scanner.take(')')) scanner.fail('this ( has no ) behind it', start);
    if (scanner.peek() === '^') scanner.fail('boosts (^) are not supported, as nothing is scored');
    return query;
  }

  checkDepth(depth: number, position: number): void {
    if (depth < luceneLimits.nestingMax) return;
    this.scanner.fail(`parentheses and signs may be nested ${luceneLimits.nestingMax} deep`, position);
  }

  fieldName(): string {
    const { scanner } = this;
    const start = scanner.at;
    if (scanner.peek() === '/') scanner.fail(`regular expressions are not supported, and ${fieldRule}`);
    const word = scanner.word(':');
    if (word.starred) scanner.fail('the name of a field takes no wildcard', start);
    if (word.text === '' && scanner.peek() === ':') scanner.fail('a field must stand before this :', start);
    if (!scanner.take(':')) scanner.fail(fieldRule, start);
    const field = fieldOf(word.text);
    if (this.fields !== undefined && !this.fields.has(field)) {
      scanner.fail(`there is no field ${JSON.stringify(word.text.slice(0, 80))}`, start);
    }
    scanner.skipSpace();
    return field;
  }
}

function plain({ occur, query }: Clause): Query {
  return occur === 'mustNot' ? { kind: 'not', member: query } : query;
}

function combine(clauses: readonly Clause[]): Query {
  const of = (occur: Occur): Query[] => clauses.filter((clause) => clause.occur === occur).map(plain);
  const musts = of('must');
  const shoulds = of('should');
  const wanted = musts.length > 0 || shoulds.length === 0 ? musts : [join('or', shoulds)];
  return join('and', [...wanted, ...of('mustNot')]);
}

/** A member of the same kind is opened, so that there is one tree for one meaning. */
function join(kind: 'and' | 'or', members: readonly Query[]): Query {
  const flat = members.flatMap((member) => (member.kind === kind ? member.members : [member]));
  const [only] = flat;
  return flat.length === 1 && only !== undefined ? only : { kind, members: flat };
}
