/**
 * A search that goes round and round through a book, slice by slice, for as long as what it looks for keeps changing. A change does not
 * send it back to the front: where changes come faster than it gets through, what stands last would never be looked at. So it goes on
 * from where it is, until it has come round once since the last change; and then round once more, for what was decided by the rules
 * before and is committed only now.
 */
export interface SearchRound {
  /** The key that came last, 0 at the front; null: nothing is looked for. */
  readonly after: number | null;
  /** Where the round began, and will end; at rest, where the search was then. */
  readonly begunAfter: number;
  /** Whether it has come to the end of the book since, and gone on from the front. */
  readonly hasTurned: boolean;
  /** Whether another round follows. */
  readonly again: boolean;
}

/** Something else is looked for: a round begins where the search is. */
export function changed({ after, begunAfter }: Pick<SearchRound, 'after' | 'begunAfter'>): SearchRound {
  const here = after ?? begunAfter;
  return { after: here, begunAfter: here, hasTurned: false, again: true };
}

/** A slice has been looked at; `last` is its last key, and null at the end of the book. */
export function goneOn(round: SearchRound, last: number | null): SearchRound {
  const after = last ?? 0;
  const hasTurned = round.hasTurned || last === null;
  const isRound = hasTurned && (after >= round.begunAfter || (round.hasTurned && last === null));
  if (!isRound) return { ...round, after, hasTurned };
  return { after: round.again ? after : null, begunAfter: after, hasTurned: false, again: false };
}
