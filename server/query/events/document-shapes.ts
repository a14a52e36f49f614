/**
 * Shapes of documents. Events of a kind differ in their values and hardly ever in what stands between them; a shape is
 * what stands between, as a path through a tree of steps that documents of one beginning share:
 *
 *   {"event":{"type":"view","seq":7},"_m1":{"bot":true}}
 *
 *   {"event":{"type":"  -text->  ","seq":  -number->  },"_m1":{"bot":true}}  -end
 *                                                      (with it: true for _m1.bot)
 *
 * A document that is matched to its end is JSON, has these names and no name twice in an object: it was so for the
 * document that the path was learned from, and names are never values. `null`, `true` and `false` belong to what
 * stands between. Documents with a backslash are learned from by nobody.
 */
import { byte, Lesson, type Step, stepKinds } from './document-lesson.ts';
import type { FieldNode } from './field-tree.ts';

/** Some names are values in truth, of which each document has others: these can't all be learned. */
const stepsMax = 8192;
const lessonsMax = 1024;
/** All of them are looked at, 5 ns each. */
const siblingsMax = 64;

export class DocumentShapes {
  readonly root: Step = newStep(new Uint8Array(0), stepKinds.text);
  readonly #fields: FieldNode;
  readonly #lifted: ReadonlyMap<FieldNode, number>;
  #steps = 0;
  #lessons = 0;

  /** @param lifted fields whose values are wanted by their places */
  constructor(fields: FieldNode, lifted: ReadonlyMap<FieldNode, number>) {
    this.#fields = fields;
    this.#lifted = lifted;
  }

  /** @param bytes from `from` to `to` they are the text of a JSON object */
  learn(bytes: Uint8Array, from: number, to: number): void {
    if (this.#steps >= stepsMax || this.#lessons >= lessonsMax) return;
    const at = bytes.indexOf(byte.backslash, from);
    if (at !== -1 && at < to) return;
    this.#lessons++;
    const lesson = new Lesson(bytes, from, to, this.#lifted);
    if (!lesson.readValue(this.#fields, true, 0)) return;
    this.#insert(lesson.end());
  }

  #insert(path: readonly Step[]): void {
    let step = this.root;
    for (const wanted of path) {
      let child = step.next.find(
        ({ literal, kind }) => kind === wanted.kind && isEqual(literal, wanted.literal),
      );
      if (child === undefined) {
        // The path ends here without an end: nothing is matched by it.
        if (step.next.length === siblingsMax) return;
        child = wanted;
        step.next.push(child);
        this.#steps++;
      }
      step = child;
    }
  }
}

function newStep(literal: Uint8Array, kind: number): Step {
  return { literal, kind, builder: undefined, lifted: -1, constants: [], next: [] };
}

const isEqual = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;
