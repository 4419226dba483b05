import { describe, expect, it } from '@jest/globals';
import { concernOf } from './concern.ts';
import type { Reservation } from './reservation.ts';

const [WEB, SHOP, DEPOT, MALL] = [1, 10, 11, 12];
const none = { held: 0, confirmed: 0, fulfilled: 0, released: 0, expired: 0, cancelled: 0, pin: null };
const reservation: Reservation = {
  key: 1,
  channel: WEB,
  version: 1,
  createdAt: 0,
  expiresAt: 0,
  nodes: null,
  lines: [{ sku: 5, requested: 4, granted: 4 }],
  backings: [
    { ...none, sku: 5, node: SHOP, confirmed: 1 },
    { ...none, sku: 5, node: DEPOT, held: 2 },
    { ...none, sku: 5, node: MALL, fulfilled: 1 },
  ],
};

describe('a command on a reservation', () => {
  it('that sells concerns the channel of the reservation', () => {
    expect(concernOf(reservation, { kind: 'selling' })).toEqual({ kind: 'selling', channel: WEB });
  });

  it.each<[string, readonly number[] | null, boolean, readonly number[]]>([
    ['at nodes concerns these', [DEPOT], false, [DEPOT]],
    ['at no node concerns none, whatever backs the reservation', [], false, []],
    ['on all of it concerns the nodes that back confirmed units', null, false, [SHOP]],
    ['that is repeated on all of it concerns also the nodes whose units it took', null, true, [SHOP, MALL]],
  ])('that works %s', (_title, nodes, isRepeated, concerned) => {
    expect(concernOf(reservation, { kind: 'node_work', nodes, isRepeated })).toEqual({
      kind: 'node_work',
      nodes: concerned,
    });
  });
});
