import type { Limits, Movement, NodeOfRun } from '../messages.ts';
import type { Invoice } from '../trace/invoice.ts';
import { channelsOf, grossDemand, keyPrefixOf, networkOf, startingStock } from './network.ts';
import type { Fate, Operation, Plan, PlanOptions, Verb } from './plan.ts';
import { type Random, randomOf } from './random.ts';

/** Share of granted reservations that their shopper gives up. */
const RELEASED_SHARE = 0.1;
/** Of the confirmed reservations: what happens next, as upper bounds of one fraction. */
const CANCELLED_BELOW = 0.1;
const FULFILLED_BELOW = 0.4;
const PART_FULFILLED_BELOW = 0.6;
/** How many trace positions later the next step of a reservation comes, at most: promises stand open meanwhile. */
const STEP_DISTANCE_MAX = 200;

const VERBS_OF: Readonly<Record<Fate, readonly Verb[]>> = {
  held: [],
  released: ['release'],
  confirmed: ['confirm'],
  cancelled: ['confirm', 'cancel'],
  fulfilled: ['confirm', 'fulfil'],
  part_fulfilled: ['confirm', 'fulfil_part'],
};

const fateOf = (random: Random, confirmShare: number): Fate => {
  const first = random.fraction();
  const then = random.fraction();
  if (first < confirmShare) {
    if (then < CANCELLED_BELOW) return 'cancelled';
    if (then < FULFILLED_BELOW) return 'fulfilled';
    return then < PART_FULFILLED_BELOW ? 'part_fulfilled' : 'confirmed';
  }
  return first < confirmShare + RELEASED_SHARE ? 'released' : 'held';
};

interface Placed {
  readonly position: number;
  readonly operation: Operation;
}

/** Decides everything that a replay of these invoices sends. The same arguments give the same plan. */
export const planReplay = (invoices: readonly Invoice[], options: PlanOptions, limits: Limits): Plan => {
  const prefix = keyPrefixOf(options.run);
  const nodes = networkOf(options.run, options.nodes);
  const channels = channelsOf(options.run, nodes);
  const demand = grossDemand(invoices);
  const placed = invoices.flatMap((invoice, position) =>
    invoice.kind === 'order'
      ? planOrder(invoice, position, invoices, nodes, options, limits)
      : [{ position, operation: planPhysical(invoice, nodes, options) }],
  );
  placed.sort((a, b) => a.position - b.position);
  const orders = invoices.filter(({ kind }) => kind === 'order');
  return {
    options,
    keyPrefix: prefix,
    skus: [...demand.keys()].map((code) => prefix + code),
    nodes,
    channels,
    stock: startingStock(options.run, options.seed, demand, nodes, limits),
    operations: placed.map(({ operation }) => operation),
    orders: orders.length,
    units: [...demand.values()].reduce((sum, units) => sum + units, 0),
    lines: orders.reduce((sum, { lines }) => sum + lines.length, 0),
  };
};

const planOrder = (
  invoice: Invoice,
  position: number,
  invoices: readonly Invoice[],
  nodes: readonly NodeOfRun[],
  options: PlanOptions,
  { expiresInSecondsMax }: Limits,
): Placed[] => {
  const prefix = keyPrefixOf(options.run);
  const random = randomOf(options.seed, `fate:${invoice.invoice}`);
  if (random.fraction() < options.posShare) {
    return [{ position, operation: planPhysical(invoice, nodes, options) }];
  }
  const id = `${prefix}o${invoice.invoice}`;
  const allowPartial = random.fraction() < options.partialShare;
  const channel = `${prefix}${random.fraction() < 0.8 ? 'web' : 'pos'}`;
  const lines = invoice.lines.map(({ stockCode, quantity }) => ({ sku: prefix + stockCode, quantity }));
  const request = {
    id,
    channel,
    lines,
    expiresInSeconds: expiresInSecondsMax,
    ...(allowPartial ? { allowPartial } : {}),
  };
  const steps: Placed[] = [{ position, operation: { kind: 'hold', atMs: invoice.atMs, request } }];
  let at = position;
  for (const verb of VERBS_OF[fateOf(random, options.confirmShare)]) {
    at = Math.min(at + 1 + random.below(STEP_DISTANCE_MAX), invoices.length - 1);
    const atMs = Math.max(invoice.atMs, invoices[at]?.atMs ?? invoice.atMs);
    // Half a position on: after the invoice it follows, and, as the sort is stable, after its own earlier steps.
    steps.push({ position: at + 0.5, operation: { kind: 'verb', atMs, verb, reservation: id } });
  }
  return steps;
};

/** A counter sale, a return or a write-off: stock that has already moved, told as it is. */
const planPhysical = (invoice: Invoice, nodes: readonly NodeOfRun[], options: PlanOptions): Operation => {
  const prefix = keyPrefixOf(options.run);
  const random = randomOf(options.seed, `node:${invoice.kind}:${invoice.invoice}`);
  const stores = nodes.filter(({ type }) => type === 'store');
  const node = stores[random.below(stores.length)]?.node ?? '';
  const damaged = random.fraction() < 0.5;
  const movements = invoice.lines.map(({ stockCode, quantity }): Movement => {
    const sku = prefix + stockCode;
    if (invoice.kind === 'order') return { type: 'sale', sku, node, quantity };
    if (invoice.kind === 'return') return { type: 'receipt', sku, node, quantity, reason: 'returned' };
    return damaged
      ? { type: 'damage', sku, node, quantity }
      : { type: 'adjustment', sku, node, quantity: -quantity, reason: 'written off' };
  });
  const cause = { order: 'pos_sale', return: 'return', write_off: 'write_off' } as const;
  const letter = { order: 's', return: 'b', write_off: 'w' } as const;
  return {
    kind: 'movement',
    atMs: invoice.atMs,
    cause: cause[invoice.kind],
    request: {
      id: `${prefix}${letter[invoice.kind]}${invoice.invoice}`,
      source: invoice.kind === 'order' ? 'pos' : 'wms',
      movements,
    },
  };
};
