/** One example of each operation: what is sent and what is answered. A spec checks every one against its schemas. */
import { CATALOG_EXAMPLES } from '../catalog/examples.ts';
import type { ExampleOf } from '../shared/operation.ts';
import type { AVAILABILITY_OPERATIONS } from './operations.ts';

type Operations = typeof AVAILABILITY_OPERATIONS;

const at = '2026-11-26T09:30:00.000Z';
const soon = '2026-11-26T09:45:00.000Z';
const page = { limit: 100 };
const empty = { nextCursor: null };
const ids = { params: { id: 'cart-81' } };
const units = { held: 0, confirmed: 0, fulfilled: 0, released: 0, expired: 0, cancelled: 0, broken: 0 };

const reservation = (state: Partial<typeof units>, more: { version: number; node?: string; expiresAt?: string }) => ({
  id: 'cart-81',
  owner: 'prn_webshop23456',
  channel: 'web',
  status: state.held ? ('held' as const) : state.confirmed ? ('confirmed' as const) : ('closed' as const),
  version: more.version,
  createdAt: at,
  expiresAt: more.expiresAt ?? null,
  lines: [
    {
      id: '1',
      sku: 'mug-blue',
      requested: 2,
      granted: 2,
      backings: [{ node: more.node ?? 'depot', kind: 'stock' as const, ...units, ...state }],
    },
  ],
});

const many = <B extends object>(body: B, status: 'held' | 'confirmed' | 'closed', version: number) => ({
  body: { items: [{ id: 'cart-81', ...body }] },
  response: { results: [{ id: 'cart-81', owner: 'prn_webshop23456', status, version }] },
});

const stockRow = {
  node: 'depot',
  onHand: 120,
  available: 118,
  committed: 0,
  reserved: 2,
  safetyStock: 0,
  damaged: 0,
  qualityControl: 0,
  shortfall: 0,
  overdrawn: 0,
  unapplied: 0,
};
const inboundLine = {
  inbound: 'po-4711',
  owner: 'prn_abcdefgh2345',
  kind: 'receipt' as const,
  line: '1',
  sku: 'mug-blue',
  node: 'depot',
  quantity: 100,
  received: 0,
  lost: 0,
  promised: 30,
  dueAt: soon,
  closed: false,
};
const inspection = {
  id: 'ins_7',
  sku: 'mug-blue',
  node: 'depot',
  origin: 'receipt' as const,
  command: 'grn-82',
  line: 1,
  reason: 'return',
  quantity: 10,
  open: 6,
  approved: 3,
  rejected: 1,
  missing: 0,
  openedAt: at,
  dueAt: '2026-11-28T09:30:00.000Z',
  closedAt: null,
};
const shippedLeg = {
  id: 'leg-81',
  transfer: 'tr-81',
  recordedAt: at,
  lines: [{ line: '1', sent: [{ state: 'available' as const, quantity: 12 }], riding: 2, arrived: 0, late: false }],
  skus: [{ sku: 'mug-blue', version: 9, rows: [stockRow] }],
};
const atp = { sku: 'mug-blue', channel: 'web', atp: 122, version: 7, asOf: at };
const feedQuery = {
  id: 'count-81',
  source: 'my-erp',
  mode: 'reset' as const,
  measure: 'physical' as const,
  capturedAt: at,
};
const feed = {
  ...feedQuery,
  owner: 'prn_abcdefgh2345',
  completeness: 'partial' as const,
  node: null,
  states: [],
  state: 'done' as const,
  failure: null,
  rows: { received: 2, staged: 1, absent: 0, unchanged: 0, applied: 1, refused: 1 },
  absentRows: 'untouched' as const,
  waitsFor: [],
  outlook: null,
  decision: null,
  percentage: 100,
  rowsPerSecond: 1_200,
  startedAt: at,
  stagedAt: at,
  finishedAt: soon,
};

const waitingFeed = {
  ...feed,
  completeness: 'full' as const,
  state: 'waiting' as const,
  rows: { received: 40, staged: 120, absent: 80, unchanged: 0, applied: 0, refused: 0 },
  waitsFor: ['zeroes_many' as const],
  outlook: { wouldChange: 84, wouldZero: 80, wouldZeroAbsent: 80, nonZero: 118, unknownSkus: 0 },
  percentage: 0,
  finishedAt: null,
};
const decided = <V extends 'approved' | 'rejected'>(verdict: V) => ({
  verdict,
  by: 'prn_console23456',
  person: 'prn_zoe234567abc',
  at: soon,
});

export const AVAILABILITY_EXAMPLES: { readonly [Id in keyof Operations]: ExampleOf<Operations[Id]> } = {
  ...CATALOG_EXAMPLES,
  hold: {
    body: { id: 'cart-81', channel: 'web', expiresInSeconds: 900, lines: [{ sku: 'mug-blue', quantity: 2 }] },
    response: reservation({ held: 2 }, { version: 1, expiresAt: soon }),
  },
  getReservation: { ...ids, query: {}, response: reservation({ held: 2 }, { version: 1, expiresAt: soon }) },
  extend: {
    ...ids,
    body: { commandId: 'cart-81-longer', expiresInSeconds: 900 },
    response: reservation({ held: 2 }, { version: 2, expiresAt: soon }),
  },
  confirm: {
    ...ids,
    body: { commandId: 'cart-81-paid' },
    response: reservation({ confirmed: 2 }, { version: 2 }),
  },
  attach: {
    ...ids,
    body: { commandId: 'order-81-placed', order: 'order-81', orderedAt: at, confirm: true },
    response: { ...reservation({ confirmed: 2 }, { version: 3 }), order: 'order-81' },
  },
  amend: {
    ...ids,
    body: { commandId: 'cart-81-one-more', expectedVersion: 3, lines: [{ id: '1', sku: 'mug-blue', quantity: 3 }] },
    response: reservation({ confirmed: 3 }, { version: 4 }),
  },
  acknowledge: {
    ...ids,
    body: { commandId: 'ful-81-picked', fulfilment: 'ful-81', stage: 'picked', quantity: 2, occurredAt: at },
    response: reservation({ confirmed: 2 }, { version: 4 }),
  },
  reject: {
    ...ids,
    body: {
      commandId: 'ful-81-refused',
      fulfilment: 'ful-81',
      quantity: 1,
      effect: 'quantity',
      moveTo: { node: 'shop-1' },
    },
    response: reservation({ confirmed: 2 }, { version: 5 }),
  },
  giveUp: {
    ...ids,
    body: { commandId: 'cart-81-given-up', lines: [{ line: '1', quantity: 2 }] },
    response: reservation({ broken: 2 }, { version: 6 }),
  },
  unfulfil: {
    ...ids,
    body: { commandId: 'ful-81-undone', lines: [{ fulfilment: 'ful-81', quantity: 2 }] },
    response: reservation({ confirmed: 2 }, { version: 5 }),
  },
  allocate: {
    body: {
      commandId: 'routing-81',
      groups: [
        {
          reservations: [
            {
              id: 'cart-81',
              expectedVersion: 2,
              moves: [
                { line: '1', quantity: 2, from: { node: 'depot' }, to: { node: 'shop-1', fulfilment: 'ful-81' } },
              ],
            },
          ],
        },
      ],
    },
    response: {
      commandId: 'routing-81',
      groups: [{ reservations: [{ id: 'cart-81', owner: 'prn_webshop23456', version: 3 }] }],
    },
  },
  fulfil: {
    ...ids,
    body: { commandId: 'cart-81-shipped', occurredAt: at },
    response: reservation({ fulfilled: 2 }, { version: 4 }),
  },
  release: { ...ids, body: { commandId: 'cart-81-dropped' }, response: reservation({ released: 2 }, { version: 2 }) },
  cancel: {
    ...ids,
    body: { commandId: 'cart-81-cancelled', lines: [{ sku: 'mug-blue', node: 'depot', quantity: 2 }] },
    response: reservation({ cancelled: 2 }, { version: 3 }),
  },
  holdMany: {
    body: {
      items: [{ id: 'cart-81', channel: 'web', expiresInSeconds: 900, lines: [{ sku: 'mug-blue', quantity: 2 }] }],
    },
    response: { results: [reservation({ held: 2 }, { version: 1, expiresAt: soon })] },
  },
  extendMany: many({ commandId: 'cart-81-longer', expiresInSeconds: 900 }, 'held', 2),
  confirmMany: many({ commandId: 'cart-81-paid' }, 'confirmed', 2),
  attachMany: many({ commandId: 'order-81-placed', order: 'order-81', confirm: true }, 'confirmed', 3),
  amendMany: many({ commandId: 'cart-81-sooner', expectedVersion: 3, lines: [], priority: 5 }, 'confirmed', 4),
  acknowledgeMany: many(
    { commandId: 'ful-81-picked', fulfilment: 'ful-81', stage: 'picked' as const, quantity: 2 },
    'confirmed',
    5,
  ),
  rejectMany: many(
    { commandId: 'ful-81-refused', fulfilment: 'ful-81', quantity: 1, effect: 'none' as const },
    'confirmed',
    5,
  ),
  giveUpMany: many({ commandId: 'cart-81-given-up', lines: [{ line: '1', quantity: 2 }] }, 'closed', 6),
  fulfilMany: many({ commandId: 'cart-81-shipped' }, 'closed', 6),
  unfulfilMany: many({ commandId: 'ful-81-undone', lines: [{ fulfilment: 'ful-81', quantity: 2 }] }, 'confirmed', 7),
  releaseMany: many({ commandId: 'cart-81-dropped' }, 'closed', 2),
  cancelMany: many({ commandId: 'cart-81-cancelled' }, 'closed', 3),
  recordMovements: {
    body: {
      id: 'till-4711',
      source: 'pos',
      occurredAt: at,
      movements: [{ type: 'sale', sku: 'mug-blue', node: 'shop-1', quantity: 1 }],
    },
    response: {
      id: 'till-4711',
      recordedAt: at,
      skus: [
        { sku: 'mug-blue', version: 8, rows: [{ ...stockRow, node: 'shop-1', onHand: 3, available: 3, reserved: 0 }] },
      ],
      late: [],
    },
  },
  putStops: {
    body: { stops: [{ sku: 'mug-blue', channel: 'web', mode: 'stop', until: '2026-12-01T00:00:00.000Z' }] },
    response: { skus: [{ sku: 'mug-blue', version: 9 }] },
  },
  putInbound: {
    params: { id: 'po-4711' },
    body: { lines: [{ id: '1', sku: 'mug-blue', node: 'depot', quantity: 100, dueAt: soon }] },
    response: { id: 'po-4711', owner: 'prn_abcdefgh2345', lines: [inboundLine] },
  },
  receive: {
    body: {
      id: 'grn-81',
      source: 'my-wms',
      inbound: 'po-4711',
      owner: 'prn_abcdefgh2345',
      lines: [{ line: '1', quantity: 100, damaged: 2 }],
    },
    response: {
      id: 'grn-81',
      recordedAt: at,
      lines: [{ over: 0, lost: 0, served: 30, late: false }],
      skus: [{ sku: 'mug-blue', version: 9, rows: [stockRow] }],
    },
  },
  ship: {
    body: {
      id: 'leg-81',
      source: 'my-wms',
      transfer: 'tr-81',
      from: 'depot',
      lines: [
        {
          line: '1',
          sku: 'mug-blue',
          to: 'shop-1',
          quantity: 12,
          dueAt: soon,
          riders: [{ owner: 'prn_webshop23456', reservation: 'cart-81', fulfilment: 'ful-81', quantity: 2 }],
        },
      ],
    },
    response: shippedLeg,
  },
  shipMany: {
    body: {
      items: [
        {
          id: 'leg-81',
          transfer: 'tr-81',
          from: 'depot',
          lines: [{ line: '1', sku: 'mug-blue', to: 'shop-1', quantity: 12 }],
        },
      ],
    },
    response: { results: [shippedLeg] },
  },
  getInbound: {
    params: { id: 'po-4711' },
    query: { owner: 'prn_abcdefgh2345' },
    response: { id: 'po-4711', owner: 'prn_abcdefgh2345', lines: [inboundLine] },
  },
  listInbound: { query: { sku: 'mug-blue', open: true }, response: { items: [inboundLine], ...empty } },
  listInspections: { query: { node: 'depot', open: true }, response: { items: [inspection], ...empty } },
  getInspection: { params: { id: 'ins_7' }, response: inspection },
  judgeInspections: {
    body: { id: 'looked-at-81', judgements: [{ inspection: 'ins_7', approved: 3, rejected: 1 }] },
    response: {
      id: 'looked-at-81',
      results: [
        {
          ...{ inspection: 'ins_7', sku: 'mug-blue', node: 'depot', version: 10 },
          ...{ approved: 3, rejected: 1, missing: 0, open: 6 },
        },
      ],
    },
  },
  listStops: {
    query: { sku: 'mug-blue' },
    response: {
      items: [{ sku: 'mug-blue', channel: 'web', mode: 'stop', until: '2026-12-01T00:00:00.000Z', since: at }],
      nextCursor: null,
    },
  },
  getAtp: {
    params: { sku: 'mug-blue' },
    query: { channel: 'web', byNode: true },
    response: {
      ...atp,
      nodes: [
        { node: 'depot', atp: 118 },
        { node: 'shop-1', atp: 4 },
      ],
    },
  },
  queryAtp: { body: { channel: 'web', skus: ['mug-blue'] }, response: { items: [atp] } },
  getStock: { params: { sku: 'mug-blue' }, response: { sku: 'mug-blue', version: 7, asOf: at, rows: [stockRow] } },
  listLedger: {
    params: { sku: 'mug-blue' },
    query: page,
    response: {
      items: [
        {
          entry: '7.0',
          sku: 'mug-blue',
          node: 'depot',
          from: 'available',
          to: 'reserved',
          quantity: 2,
          reason: 'hold',
          source: 'web-shop',
          sourceEventId: 'cart-81',
          version: 7,
          occurredAt: at,
          recordedAt: at,
        },
      ],
      ...empty,
    },
  },
  verifyLedger: { body: { skuPrefix: 'mug-' }, response: { balanced: true, rowsChecked: 3, mismatches: [] } },
  sendFeed: {
    query: feedQuery,
    csv: 'sku,node,quantity\nmug-blue,depot,120\nmug-gold,depot,5\n',
    ndjson: '{"sku":"mug-blue","node":"depot","quantity":120}\n{"sku":"mug-gold","node":"depot","quantity":5}\n',
    response: { ...feed, state: 'applying', percentage: 0, finishedAt: null },
  },
  getFeed: { params: { id: 'count-81' }, query: {}, response: feed },
  listFeeds: { query: { ...page, state: 'waiting' }, response: { items: [waitingFeed], ...empty } },
  approveFeed: {
    params: { id: 'count-81' },
    query: { owner: 'prn_abcdefgh2345' },
    response: { ...waitingFeed, state: 'applying', absentRows: 'zeroed', decision: decided('approved') },
  },
  rejectFeed: {
    params: { id: 'count-81' },
    query: { owner: 'prn_abcdefgh2345' },
    response: { ...waitingFeed, state: 'rejected', decision: decided('rejected'), finishedAt: soon },
  },
  listFeedRefusals: {
    params: { id: 'count-81' },
    query: page,
    response: { items: [{ line: 3, code: 'sku.unknown', message: 'there is no SKU mug-gold' }], ...empty },
  },
  listExceptions: {
    query: page,
    response: {
      items: [
        {
          id: 'exc_12',
          code: 'promise.short',
          subject: 'stock/mug-blue/shop-1',
          sku: 'mug-blue',
          node: 'shop-1',
          quantity: 1,
          dueAt: soon,
          openedAt: at,
          closedAt: null,
        },
      ],
      ...empty,
    },
  },
  listSources: { response: { items: [{ name: 'my-erp', deductsAt: 'accepted' }] } },
  putSource: {
    params: { name: 'my-erp' },
    body: { deductsAt: 'picked' },
    response: { name: 'my-erp', deductsAt: 'picked' },
  },
  countEvents: { query: { namePrefix: 'mug-' }, response: { written: 42 } },
};
