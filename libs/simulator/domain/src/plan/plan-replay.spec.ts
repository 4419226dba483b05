import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Limits } from '../messages.ts';
import type { Invoice } from '../trace/invoice.ts';
import type { PlanOptions } from './plan.ts';
import { planReplay } from './plan-replay.ts';
import { randomOf } from './random.ts';
import { spreadUnits } from './spread-units.ts';

const options: PlanOptions = {
  run: 'test',
  seed: 1,
  nodes: 10,
  posShare: 0.1,
  partialShare: 0.1,
  confirmShare: 0.7,
};
const limits: Limits = { linesMax: 2_000, quantityUnitsMax: 1_000_000, expiresInSecondsMax: 14_400 };
const invoices: Invoice[] = Array.from({ length: 2_000 }, (_, index) => ({
  invoice: String(500_000 + index),
  kind: index % 10 === 9 ? 'return' : 'order',
  atMs: index * 60_000,
  lines: [
    { stockCode: `CODE${index % 37}`, quantity: 1 + (index % 12) },
    { stockCode: 'HOT', quantity: 3 },
  ],
}));

describe('spreadUnits', () => {
  it('gives integers whose sum is exact', () => {
    fc.assert(
      fc.property(fc.nat(1_000_000_000), fc.integer({ min: 1, max: 50 }), fc.integer(), (units, places, seed) => {
        const shares = spreadUnits(units, places, randomOf(seed, 'x'));
        expect(shares).toHaveLength(places);
        expect(shares.every((share) => Number.isInteger(share) && share >= 0)).toBe(true);
        expect(shares.reduce((sum, share) => sum + share, 0)).toBe(units);
      }),
    );
  });
});

describe('planReplay', () => {
  const plan = planReplay(invoices, options, limits);
  const holds = plan.operations.filter(({ kind }) => kind === 'hold');
  const sales = plan.operations.filter((one) => one.kind === 'movement' && one.cause === 'pos_sale');

  it('gives the same plan for the same seed, and another for another', () => {
    expect(planReplay(invoices, options, limits)).toEqual(plan);
    expect(planReplay(invoices, { ...options, seed: 2 }, limits).operations).not.toEqual(plan.operations);
  });

  it('makes one reservation or one counter sale of each order, about a tenth of them sales', () => {
    expect(holds.length + sales.length).toBe(plan.orders);
    expect(sales.length / plan.orders).toBeGreaterThan(0.07);
    expect(sales.length / plan.orders).toBeLessThan(0.13);
  });

  it('starts with 80 % of each demand, rounded down, in batches of at most 2,000 receipts', () => {
    const stocked = new Map<string, number>();
    for (const { movements } of plan.stock) {
      expect(movements.length).toBeLessThanOrEqual(2_000);
      for (const { sku, quantity } of movements) stocked.set(sku, (stocked.get(sku) ?? 0) + quantity);
    }
    const hot = invoices.filter(({ kind }) => kind === 'order').length * 3;
    expect(stocked.get('rtest-HOT')).toBe(Math.floor(hot * 0.8));
  });

  it('puts each later step of a reservation after the one before it', () => {
    const seen = new Set<string>();
    for (const operation of plan.operations) {
      if (operation.kind === 'hold') seen.add(operation.request.id);
      if (operation.kind !== 'verb') continue;
      expect(seen.has(operation.reservation)).toBe(true);
      const after = ['cancel', 'fulfil', 'fulfil_part'].includes(operation.verb);
      if (after) expect(seen.has(`${operation.reservation} confirm`)).toBe(true);
      seen.add(`${operation.reservation} ${operation.verb}`);
    }
  });

  it('confirms 70 % and releases 10 % of the reservations', () => {
    const share = (verb: string) =>
      plan.operations.filter((one) => one.kind === 'verb' && one.verb === verb).length / holds.length;
    expect(share('confirm')).toBeCloseTo(0.7, 1);
    expect(share('release')).toBeCloseTo(0.1, 1);
  });

  it('begins every id with the prefix of the run', () => {
    const ids = [
      ...plan.skus,
      ...plan.nodes.map(({ node }) => node),
      ...plan.channels.map(({ channel }) => channel),
      ...plan.stock.map(({ id }) => id),
      ...plan.operations.map((one) => (one.kind === 'verb' ? one.reservation : one.request.id)),
    ];
    expect(ids.every((id) => id.startsWith('rtest-'))).toBe(true);
  });
});
