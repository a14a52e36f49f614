/** Reads expressions: leaves, and what joins them. */
import { type Expression, type NamedLeaf, questionLimits } from './question.ts';
import {
  asArray,
  asObject,
  type Members,
  nameMembers,
  onlyKnown,
  QuestionError,
  rangeMembers,
  readNamed,
  readRange,
  refuse,
} from './read-values.ts';

const leafMembers = [...nameMembers, ...rangeMembers];
const formRule = 'needs one of event, source, anyEvent, all, and, or, not, minus';

/** Reads the expressions of one question, and counts their leaves. */
export class ExpressionReader {
  readonly #nowMs: number;
  #leaves = 0;

  constructor(nowMs: number) {
    this.#nowMs = nowMs;
  }

  read(value: unknown, path: string, depth = 0): Expression {
    if (depth > questionLimits.depthMax) {
      const message = `an expression is nested at most ${questionLimits.depthMax} levels deep; see ${path.slice(0, 200)}`;
      throw new QuestionError('too_deep', message);
    }
    const members = asObject(value, path);
    for (const join of ['and', 'or', 'minus'] as const)
      if (members[join] !== undefined) return this.#readJoin(members, join, path, depth);
    if (members['not'] !== undefined) {
      onlyKnown(members, ['not'], path);
      return { not: this.read(members['not'], `${path}.not`, depth + 1) };
    }
    return this.#readLeaf(members, path);
  }

  #readJoin(members: Members, join: 'and' | 'or' | 'minus', path: string, depth: number): Expression {
    onlyKnown(members, [join], path);
    const parts = asArray(members[join], `${path}.${join}`);
    if (parts.length === 0) refuse(`${path}.${join}`, 'needs at least one expression', parts);
    const read = parts.map((part, i) => this.read(part, `${path}.${join}[${i}]`, depth + 1));
    if (join === 'and') return { and: read };
    return join === 'or' ? { or: read } : { minus: read };
  }

  #readLeaf(members: Members, path: string): Expression {
    this.#countLeaf();
    if (members['all'] !== undefined) {
      onlyKnown(members, ['all'], path);
      return members['all'] === true ? { all: true } : refuse(`${path}.all`, 'needs true', members['all']);
    }
    const range = readRange(members, path, this.#nowMs);
    if (members['anyEvent'] !== undefined) {
      onlyKnown(members, ['anyEvent', ...rangeMembers], path);
      if (members['anyEvent'] === true) return { anyEvent: true, range };
      return refuse(`${path}.anyEvent`, 'needs true', members['anyEvent']);
    }
    onlyKnown(members, leafMembers, path);
    if (members['event'] === undefined && members['source'] === undefined) refuse(path, formRule, members);
    return { ...readNamed(members, path), range };
  }

  /** What can be looked up in each minute: a leaf without a range of its own, or several of them under `or`. */
  readNames(value: unknown, path: string): readonly NamedLeaf[] {
    const members = asObject(value, path);
    if (members['or'] === undefined) {
      this.#countLeaf();
      onlyKnown(members, [...nameMembers, 'or'], path);
      if (members['event'] === undefined && members['source'] === undefined)
        refuse(path, 'needs event or source, or several of them under or', members);
      return [readNamed(members, path)];
    }
    onlyKnown(members, ['or'], path);
    const parts = asArray(members['or'], `${path}.or`);
    if (parts.length === 0) refuse(`${path}.or`, 'needs at least one name', parts);
    return parts.flatMap((part, i) => {
      const inner = asObject(part, `${path}.or[${i}]`);
      if (inner['or'] !== undefined) refuse(`${path}.or[${i}]`, 'needs event or source', part);
      return this.readNames(inner, `${path}.or[${i}]`);
    });
  }

  #countLeaf(): void {
    this.#leaves++;
    if (this.#leaves <= questionLimits.leavesMax) return;
    const message = `a question has at most ${questionLimits.leavesMax} events and sources`;
    throw new QuestionError('too_many_leaves', message);
  }
}
