/**
 * Which persons of a slot the ledger must remember, so that somebody who returns within the same minute,
 * hour or day is not counted twice: only the few who can still return.
 */
import { recentPersons } from '../crowd/visit-timing.ts';
import { newUniqueMarks, type UniqueMarks } from './ledger.ts';

export interface PersonMarks {
  /** The how-many-th person of the slot. */
  readonly number: number;
  readonly marks: UniqueMarks;
}

/**
 * The marks of a person, made at the first visit. `persons` is the slot's list, oldest first; a new person
 * pushes out whoever can't come back any more (crowd.ts lets only the newest `recentPersons` return).
 */
export function marksOf(persons: PersonMarks[], number: number, kinds?: number): UniqueMarks {
  const known = persons.find((person) => person.number === number);
  if (known !== undefined) return known.marks;
  const marks = newUniqueMarks(kinds);
  persons.push({ number, marks });
  if (persons.length > recentPersons) persons.shift();
  return marks;
}
