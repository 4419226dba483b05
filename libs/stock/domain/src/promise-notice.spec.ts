import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type PromiseUnits, type ToldPromise, firstDue, noticeOf, stillOpen } from './promise-notice.ts';

const DUE = 1_000;
const LATER = 2_000;
const CONTROLLER = { actor: 'oms', order: 'o-1' };
const units = (over: Partial<PromiseUnits> = {}): PromiseUnits => ({
  reservation: 1,
  backing: 0,
  quantity: 2,
  lineOpen: 5,
  controller: CONTROLLER,
  ...over,
});
const told = (over: Partial<ToldPromise> = {}): ToldPromise => ({
  reservation: 1,
  backing: 0,
  quantity: 2,
  lineOpen: 5,
  order: 'o-1',
  dueAt: DUE,
  ...over,
});

describe('of promises about which somebody has to decide', () => {
  it.each<[string, readonly ToldPromise[], readonly PromiseUnits[], number, readonly ToldPromise[]]>([
    ['a new one is told', [], [units()], 1, [told({ dueAt: LATER })]],
    ['one that is as it was is not told again', [told()], [units()], 0, [told()]],
    ['less of one is told, and keeps its deadline', [told()], [units({ quantity: 1 })], 1, [told({ quantity: 1 })]],
    [
      'more of one is told, with another deadline',
      [told()],
      [units({ quantity: 3 })],
      1,
      [told({ quantity: 3, dueAt: LATER })],
    ],
    [
      'one that has an order now is told to it',
      [told({ order: null, dueAt: null })],
      [units()],
      1,
      [told({ dueAt: LATER })],
    ],
    [
      'one that its order let go has no deadline',
      [told()],
      [units({ controller: null })],
      1,
      [told({ order: null, dueAt: null })],
    ],
    [
      'another backing is another one',
      [told()],
      [units(), units({ backing: 1 })],
      1,
      [told(), told({ backing: 1, dueAt: LATER })],
    ],
  ])('%s', (_, before, now, news, expected) => {
    const notice = noticeOf(before, now, LATER);
    expect(notice.news).toHaveLength(news);
    expect(notice.told).toEqual(expected);
    expect(notice.gone).toEqual([]);
  });

  it.each([
    ['none has ended', 5, 2],
    ['units were added', 9, 2],
    ['one has ended', 4, 1],
    ['as many have ended', 3, 0],
    ['all have ended', 0, 0],
  ])('of 2 that were told of 5, if %s, of now %s open ones %s are still open', (_, openNow, expected) =>
    expect(stillOpen(told(), openNow)).toBe(expected),
  );

  it('those that were told and are not among them any more are gone', () =>
    expect(noticeOf([told(), told({ reservation: 2 })], [units()], LATER).gone).toEqual([told({ reservation: 2 })]));

  const some = fc.uniqueArray(
    fc.record({
      reservation: fc.integer({ min: 1, max: 4 }),
      backing: fc.integer({ min: 0, max: 2 }),
      quantity: fc.integer({ min: 1, max: 3 }),
      lineOpen: fc.constant(3),
      controller: fc.constantFrom(null, CONTROLLER, { actor: 'oms', order: 'o-2' }),
    }),
    { selector: ({ reservation, backing }) => `${reservation}:${backing}` },
  );

  it('each is told once for each change of it', () => {
    fc.assert(
      fc.property(fc.array(some, { maxLength: 6 }), (looks) => {
        let before: readonly ToldPromise[] = [];
        for (const [at, now] of looks.entries()) {
          const notice = noticeOf(before, now, at);
          expect(notice.told.map(({ reservation, backing, quantity }) => [reservation, backing, quantity])).toEqual(
            now.map(({ reservation, backing, quantity }) => [reservation, backing, quantity]),
          );
          expect(noticeOf(notice.told, now, at + 1)).toEqual({ told: notice.told, news: [], gone: [] });
          const isThere = ({ reservation, backing }: ToldPromise): boolean =>
            now.some((one) => one.reservation === reservation && one.backing === backing);
          expect(notice.gone).toEqual(before.filter((one) => !isThere(one)));
          before = notice.told;
        }
      }),
    );
  });

  it('the first deadline is the earliest of those that have one', () =>
    expect([
      firstDue([]),
      firstDue([told({ dueAt: null })]),
      firstDue([told({ dueAt: 7 }), told({ dueAt: 3 }), told({ dueAt: null })]),
    ]).toEqual([null, null, 3]));
});
