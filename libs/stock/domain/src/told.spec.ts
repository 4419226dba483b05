import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { NOTHING_TOLD, type Told, largestTotal, tell, undoTold } from './told.ts';

type Step = readonly [teller: string, quantity: number] | readonly ['undo', number];

/** What each step adds to the effect, and to what is beyond the cap; undoing takes away. */
function play(
  steps: readonly Step[],
  cap: number,
): { readonly told: Told; readonly done: readonly (readonly number[])[] } {
  let told = NOTHING_TOLD;
  const done = steps.map(([teller, quantity]) => {
    if (teller === 'undo') {
      told = undoTold(told, quantity);
      return [-quantity, 0];
    }
    const { told: next, effect, plain } = tell(told, teller, quantity, cap);
    told = next;
    return [effect, plain];
  });
  return { told, done };
}

describe('what several tell of one event', () => {
  it.each<[string, number, readonly Step[], readonly (readonly number[])[]]>([
    [
      'one hand-over told by three is one',
      1,
      [
        ['till', 1],
        ['wms', 1],
        ['us', 1],
      ],
      [
        [1, 0],
        [0, 0],
        [0, 0],
      ],
    ],
    [
      'one and then one more are two',
      2,
      [
        ['till', 1],
        ['till', 1],
      ],
      [
        [1, 0],
        [1, 0],
      ],
    ],
    [
      'whoever is ahead decides',
      3,
      [
        ['till', 1],
        ['wms', 3],
        ['till', 1],
        ['till', 1],
      ],
      [
        [1, 0],
        [2, 0],
        [0, 0],
        [0, 0],
      ],
    ],
    [
      'more than there is moves by itself',
      2,
      [
        ['till', 3],
        ['wms', 3],
      ],
      [
        [2, 1],
        [0, 0],
      ],
    ],
    ['all of it does where nothing is left', 0, [['till', 2]], [[0, 2]]],
    [
      'what was beyond the cap is told once',
      1,
      [
        ['till', 2],
        ['wms', 3],
      ],
      [
        [1, 1],
        [0, 1],
      ],
    ],
    [
      'an undone hand-over happens again',
      1,
      [
        ['till', 1],
        ['undo', 1],
        ['till', 1],
      ],
      [
        [1, 0],
        [-1, 0],
        [1, 0],
      ],
    ],
    [
      'the late news of an undone one is no news',
      1,
      [
        ['till', 1],
        ['undo', 1],
        ['wms', 1],
        ['till', 1],
        ['wms', 1],
      ],
      [
        [1, 0],
        [-1, 0],
        [0, 0],
        [1, 0],
        [0, 0],
      ],
    ],
    [
      'two undone of three and told again',
      3,
      [
        ['wms', 3],
        ['undo', 2],
        ['wms', 2],
        ['wms', 1],
      ],
      [
        [3, 0],
        [-2, 0],
        [2, 0],
        [0, 1],
      ],
    ],
    [
      'what moved by itself stays so when others are undone',
      2,
      [
        ['till', 3],
        ['undo', 1],
        ['wms', 3],
        ['till', 1],
      ],
      [
        [2, 1],
        [-1, 0],
        [0, 0],
        [1, 0],
      ],
    ],
  ])('%s', (_, cap, steps, done) => expect(play(steps, cap).done).toEqual(done));

  it('leaves what was beyond the cap alone when the cap grows', () => {
    const { told } = tell(NOTHING_TOLD, 'till', 3, 1);
    expect(tell(told, 'wms', 3, 3)).toMatchObject({ effect: 0, plain: 0 });
    expect(tell(told, 'till', 1, 3)).toMatchObject({ effect: 1, plain: 0 });
  });

  it('adds nothing while a cap is below what has taken effect', () => {
    const { told } = tell(NOTHING_TOLD, 'till', 2, 2);
    expect(tell(told, 'till', 1, 1)).toMatchObject({ effect: 0, plain: 1 });
  });

  it.each<[string, () => unknown]>([
    ['less than nothing is told', () => tell(NOTHING_TOLD, 'till', -1, 1)],
    ['half a unit is told', () => tell(NOTHING_TOLD, 'till', 0.5, 1)],
    ['more is undone than was done', () => undoTold(tell(NOTHING_TOLD, 'till', 2, 1).told, 2)],
    ['less than nothing is undone', () => undoTold(NOTHING_TOLD, -1)],
  ])('is a broken invariant if %s', (_, act) => expect(act).toThrow(/Broken invariant/));
});

describe('laws of telling', () => {
  const teller = fc.constantFrom('till', 'wms', 'us');
  const telling = fc.tuple(teller, fc.integer({ min: 0, max: 4 }));
  const anyCap = fc.integer({ min: 0, max: 8 });
  const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);

  it('comes to the largest total, up to the cap, in whatever order it is told', () => {
    const shuffled = fc
      .array(telling, { maxLength: 8 })
      .chain((all) =>
        fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length, maxLength: all.length })),
      );
    fc.assert(
      fc.property(shuffled, anyCap, ([one, other], cap) => {
        const totals = ['till', 'wms', 'us'].map((who) =>
          sum(one.filter(([by]) => by === who).map(([, units]) => units)),
        );
        const expected = Math.min(cap, Math.max(...totals));
        for (const order of [one, other]) {
          const { told } = play(order, cap);
          expect([told.effect, told.plain]).toEqual([expected, Math.max(...totals) - expected]);
        }
      }),
      { numRuns: 400 },
    );
  });

  it('never takes effect beyond cap and undone, nor ever loses or doubles a unit', () => {
    const anyStep = fc.oneof({ weight: 3, arbitrary: telling }, { weight: 1, arbitrary: fc.nat(4) });
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 12 }), anyCap, (steps, cap) => {
        let told = NOTHING_TOLD;
        let everDone = 0;
        let moved = 0;
        for (const step of steps) {
          if (typeof step === 'number') {
            const quantity = Math.min(step, told.effect);
            told = undoTold(told, quantity);
            moved -= quantity;
          } else {
            const { told: next, effect, plain } = tell(told, ...step, cap);
            told = next;
            everDone += effect;
            moved += effect + plain;
          }
          expect(everDone).toBeLessThanOrEqual(cap + told.undone);
          expect(told.effect).toBe(everDone - told.undone);
          expect(told.effect).toBeLessThanOrEqual(cap);
          expect(moved).toBe(Math.max(0, ...told.totals.values()) - told.undone);
          expect(largestTotal(told)).toBe(Math.max(0, ...told.totals.values()));
        }
      }),
      { numRuns: 400 },
    );
  });
});
