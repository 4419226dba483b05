import { describe, expect, it } from '@jest/globals';
import { type AccessLimits, forbidden } from './decide-access.ts';
import type { Reservation } from './reservation.ts';

const [WEB, POS, SHOP, DEPOT, MALL] = [1, 2, 10, 11, 12];
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
const limits = (nodes: readonly number[] | null, channels: readonly number[] | null): AccessLimits => ({
  node: (key) => nodes === null || nodes.includes(key),
  channel: (key) => channels === null || channels.includes(key),
});

describe('selling', () => {
  it.each<[string, AccessLimits, unknown]>([
    ['is free without limits', limits(null, null), null],
    ['is not bound to nodes', limits([], null), null],
    ['is free in a channel of the limit', limits(null, [POS, WEB]), null],
    ['is refused in any other', limits(null, [POS]), { code: 'channel.forbidden' }],
    ['is refused where the limit names none', limits(null, []), { code: 'channel.forbidden' }],
  ])('%s', (_title, given, expected) => {
    expect(forbidden(given, reservation, { kind: 'selling' })).toEqual(expected);
  });
});

describe('node work', () => {
  const at = (node: number) => ({ code: 'node.forbidden', node });
  it.each<[string, AccessLimits, readonly number[] | null, boolean, unknown]>([
    ['is free without limits', limits(null, null), null, false, null],
    ['is not bound to channels', limits([SHOP], []), [SHOP], false, null],
    ['is refused at the first node outside of the limit', limits([SHOP], null), [SHOP, DEPOT], false, at(DEPOT)],
    ['is refused everywhere where the limit names none', limits([], null), [SHOP], false, at(SHOP)],
    ['of a whole reservation is at the nodes that back confirmed units', limits([SHOP], null), null, false, null],
    ['of a whole reservation is refused at those', limits([DEPOT, MALL], null), null, false, at(SHOP)],
    ['that is repeated is also at the nodes whose units it took', limits([SHOP], null), null, true, at(MALL)],
  ])('%s', (_title, given, nodes, isRepeated, expected) => {
    expect(forbidden(given, reservation, { kind: 'node_work', nodes, isRepeated })).toEqual(expected);
  });
});
