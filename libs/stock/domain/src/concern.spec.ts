import { describe, expect, it } from '@jest/globals';
import { concernOf } from './concern.ts';
import { backingsOf, reservation as reservationOf } from './testing/arbitraries.ts';

const [WEB, SHOP, DEPOT, MALL] = [1, 10, 11, 12];
const reservation = reservationOf({
  channel: WEB,
  backings: backingsOf(
    { sku: 5, node: SHOP, confirmed: 1 },
    { sku: 5, node: DEPOT, held: 2 },
    { sku: 5, node: MALL, fulfilled: 1 },
    { sku: 5, node: 0, kind: 'unbacked', confirmed: 1 },
    { sku: 5, node: MALL, kind: 'incoming', detail: 7, confirmed: 1 },
  ),
});

describe('a command on a reservation', () => {
  it('that sells concerns the channel of the reservation', () => {
    expect(concernOf(reservation, { kind: 'selling' })).toEqual({ kind: 'selling', channel: WEB });
  });

  it.each<[string, readonly number[] | null, boolean, readonly number[]]>([
    ['at nodes concerns these', [DEPOT], false, [DEPOT]],
    ['at no node concerns none, whatever backs the reservation', [], false, []],
    ['on all of it concerns the nodes that have confirmed units of it', null, false, [SHOP]],
    ['that is repeated on all of it concerns also the nodes whose units it took', null, true, [SHOP, MALL]],
  ])('that works %s', (_title, nodes, isRepeated, concerned) => {
    expect(concernOf(reservation, { kind: 'node_work', nodes, isRepeated })).toEqual({
      kind: 'node_work',
      nodes: concerned,
    });
  });
});
