import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { shortPromisesOf } from './short-promises.ts';
import { incoming, row } from './testing/arbitraries.ts';
import { backing, reserved } from './testing/reserved.ts';
import { onLine, waitingWorld } from './testing/waiting.ts';

describe('short promises of a row', () => {
  const controller = { actor: 'oms', order: 'o-1' };
  const some = [
    reserved([onLine(1, { confirmed: 2, fulfilment: 'F' })], { key: 1 }),
    reserved([onLine(1, { confirmed: 2 }), backing(1, { line: 1, confirmed: 9 })], { key: 2, priority: 5, controller }),
    reserved([onLine(1, { line: 0, held: 1 }), onLine(1, { line: 1, held: 1 })], { key: 3 }),
    reserved([onLine(2, { confirmed: 9 })], { key: 4 }),
  ];

  it.each<[string, number, readonly (readonly [reservation: number, line: number, quantity: number])[]]>([
    ['are those that are served last', 1, [[3, 1, 1]]],
    [
      'are of a reservation its last lines first',
      2,
      [
        [3, 1, 1],
        [3, 0, 1],
      ],
    ],
    [
      'are at last those of the highest priority',
      3,
      [
        [3, 1, 1],
        [3, 0, 1],
        [2, 0, 1],
      ],
    ],
    [
      'are what a node works on only if nothing else is left',
      5,
      [
        [3, 1, 1],
        [3, 0, 1],
        [2, 0, 2],
        [1, 0, 1],
      ],
    ],
  ])('%s', (_, shortfall, expected) => {
    const short = shortPromisesOf(1, incoming({ committed: 4, reserved: 2, shortfall }), some);
    expect(short?.promises.map(({ reservation, line, quantity }) => [reservation, line, quantity])).toEqual(expected);
    expect([short?.quantity, short?.at]).toEqual([shortfall, { kind: 'incoming', node: 1, detail: 1 }]);
  });

  it('are none where all are covered', () => expect(shortPromisesOf(1, incoming({ committed: 4 }), some)).toBeNull());

  it('say who decides about them, and what a node works on', () => {
    const short = shortPromisesOf(1, incoming({ committed: 4, reserved: 2, shortfall: 6 }), some);
    expect(short?.promises.map((one) => [one.controller, one.fulfilment])).toEqual([
      [null, null],
      [null, null],
      [controller, null],
      [null, 'F'],
    ]);
  });

  it('are of what is there as well', () =>
    expect(shortPromisesOf(1, row({ committed: 9, shortfall: 4 }), some)?.promises).toMatchObject([
      { reservation: 2, line: 1, quantity: 4 },
    ]));

  it('are counted where they were not loaded', () =>
    expect(shortPromisesOf(1, incoming({ committed: 9, shortfall: 9 }), some)).toMatchObject({
      quantity: 9,
      unnamed: 3,
    }));

  it('are together exactly what the row lacks', () => {
    fc.assert(
      fc.property(waitingWorld, ({ reservations, supplies }) => {
        const { rows, future } = supplies.get(1)!;
        for (const one of [...rows, ...future]) {
          const short = shortPromisesOf(1, one, reservations);
          expect((short?.promises ?? []).reduce((sum, { quantity }) => sum + quantity, 0)).toBe(one.shortfall);
          expect(short?.unnamed ?? 0).toBe(0);
        }
      }),
    );
  });
});
