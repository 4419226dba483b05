import { describe, expect, it } from '@jest/globals';
import { type AccessLimits, forbidden, forbiddenChannel, forbiddenNode } from './decide-access.ts';
import type { Reservation } from './reservation.ts';

const [WEB, POS, SHOP, DEPOT] = [1, 2, 10, 11];
const none = { held: 0, confirmed: 0, fulfilled: 0, released: 0, expired: 0, cancelled: 0, pin: null };
const reservation: Reservation = {
  key: 1,
  channel: WEB,
  version: 1,
  createdAt: 0,
  expiresAt: 0,
  nodes: null,
  lines: [{ sku: 5, requested: 3, granted: 3 }],
  backings: [
    { ...none, sku: 5, node: SHOP, confirmed: 1 },
    { ...none, sku: 5, node: DEPOT, held: 2 },
  ],
};
const limits = (nodes: readonly number[] | null, channels: readonly number[] | null): AccessLimits => ({
  nodes: nodes && new Set(nodes),
  channels: channels && new Set(channels),
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
    expect(forbiddenChannel(given, WEB)).toEqual(expected);
  });
});

describe('node work', () => {
  it.each<[string, AccessLimits, readonly number[] | null, unknown]>([
    ['is free without limits', limits(null, null), null, null],
    ['is not bound to channels', limits([SHOP], []), [SHOP], null],
    [
      'is refused at the first node outside of the limit',
      limits([SHOP], null),
      [SHOP, DEPOT],
      { code: 'node.forbidden', node: DEPOT },
    ],
    [
      'is refused everywhere where the limit names none',
      limits([], null),
      [SHOP],
      { code: 'node.forbidden', node: SHOP },
    ],
    ['of a whole reservation is at the nodes that back confirmed units', limits([SHOP], null), null, null],
    ['of a whole reservation is refused at those', limits([DEPOT], null), null, { code: 'node.forbidden', node: SHOP }],
  ])('%s', (_title, given, nodes, expected) => {
    expect(forbidden(given, reservation, { kind: 'node_work', nodes })).toEqual(expected);
    if (nodes) expect(forbiddenNode(given, nodes)).toEqual(expected);
  });
});
