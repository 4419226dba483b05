import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type SearchRound, changed, goneOn } from './search-round.ts';

const AT_REST: SearchRound = { after: null, begunAfter: 0, hasTurned: false, again: false };

const KEYS_MAX = 12;
const book = fc
  .uniqueArray(fc.integer({ min: 1, max: 40 }), { maxLength: KEYS_MAX })
  .map((keys) => keys.toSorted((a, b) => a - b));
/** Keys come and go between slices. */
const step = fc.oneof(
  { weight: 6, arbitrary: fc.constant('slice' as const) },
  { weight: 2, arbitrary: fc.constant('change' as const) },
  { weight: 1, arbitrary: book },
);

/** Plays a search over a book, which notes after which change each key was looked at last, and in which slice. */
class Played {
  round: SearchRound = AT_REST;
  changes = 0;
  slices = 0;
  readonly seen = new Map<number, { readonly change: number; readonly slice: number }[]>();
  readonly #size: number;
  keys: readonly number[];

  constructor(keys: readonly number[], size: number) {
    this.keys = keys;
    this.#size = size;
  }

  change(): void {
    this.changes++;
    this.round = changed(this.round);
  }

  slice(): void {
    const { after } = this.round;
    if (after === null) return;
    this.slices++;
    const found = this.keys.filter((key) => key > after).slice(0, this.#size);
    for (const key of found)
      this.seen.set(key, [...(this.seen.get(key) ?? []), { change: this.changes, slice: this.slices }]);
    this.round = goneOn(this.round, found.at(-1) ?? null);
  }
}

describe('a search that goes round', () => {
  it('comes to rest, and has then looked at everything twice since the last change', () => {
    fc.assert(
      fc.property(book, fc.integer({ min: 1, max: 5 }), fc.array(step, { maxLength: 40 }), (keys, size, steps) => {
        const played = new Played(keys, size);
        for (const one of steps) {
          if (one === 'change') played.change();
          else if (one === 'slice') played.slice();
          else played.keys = one;
        }
        played.change();
        const bound = played.slices + 3 * (played.keys.length + 2);
        while (played.round.after !== null && played.slices <= bound) played.slice();
        expect(played.round).toMatchObject({ after: null, again: false });
        for (const key of played.keys) {
          const since = (played.seen.get(key) ?? []).filter(({ change }) => change === played.changes);
          expect(since.length).toBeGreaterThanOrEqual(2);
        }
      }),
    );
  });

  it('looks at every key once a round, however often what it looks for changes meanwhile', () => {
    const changes = fc.array(fc.boolean(), { minLength: 40, maxLength: 80 });
    fc.assert(
      fc.property(book, fc.integer({ min: 1, max: 5 }), changes, (keys, size, isChanged) => {
        const played = new Played(keys, size);
        played.change();
        for (const change of isChanged) {
          if (change || played.round.after === null) played.change();
          played.slice();
        }
        // Its slices, and that in which it finds the end.
        const turn = Math.ceil(keys.length / size) + 1;
        for (const key of keys) {
          const slices = [0, ...(played.seen.get(key) ?? []).map(({ slice }) => slice), played.slices + 1];
          const longest = Math.max(...slices.slice(1).map((slice, place) => slice - (slices[place] ?? 0)));
          expect(longest).toBeLessThanOrEqual(turn);
        }
      }),
    );
  });

  it('begins where it came to rest', () => {
    const rest = goneOn({ after: 5, begunAfter: 7, hasTurned: true, again: false }, 9);
    expect(rest).toEqual({ after: null, begunAfter: 9, hasTurned: false, again: false });
    expect(changed(rest)).toEqual({ after: 9, begunAfter: 9, hasTurned: false, again: true });
  });
});
