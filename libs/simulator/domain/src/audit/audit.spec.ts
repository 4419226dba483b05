import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { HoldRecord, MovementRecord } from '../history/history.ts';
import { NODES, randomRun } from '../testing/random-history.ts';
import { type AuditInput, audit } from './audit.ts';

const run = fc.record({
  seed: fc.integer(),
  length: fc.integer({ min: 1, max: 80 }),
  overlap: fc.constantFrom(0.1, 0.4, 1, 3, 10, 40),
});

const withHold = (input: AuditInput, hold: HoldRecord): AuditInput => ({
  ...input,
  history: { ...input.history, holds: [...input.history.holds, hold] },
});

const receipt = (atMs: number, quantity: number, node = 'n1'): MovementRecord => ({
  id: `receipt-${atMs}`,
  interval: { fromMs: atMs, untilMs: atMs + 1 },
  movements: [{ type: 'receipt', sku: 'A', node, quantity }],
  outcome: 'applied',
});
const grant = (id: string, fromMs: number, untilMs: number, quantity: number, node = 'n1'): HoldRecord => ({
  id,
  interval: { fromMs, untilMs },
  allowPartial: false,
  requested: new Map([['A', quantity]]),
  outcome: 'granted',
  backed: [{ sku: 'A', node, quantity }],
  version: 1,
});
const refusal = (fromMs: number, untilMs: number, quantity: number): HoldRecord => ({
  ...grant('refusal', fromMs, untilMs, quantity),
  outcome: 'refused',
  backed: [],
});
const only = (holds: HoldRecord[], movements: MovementRecord[]): AuditInput => ({
  history: { holds, movements, steps: [], confirms: [] },
  moves: [],
  confirmFacts: [],
  stocks: [],
});

describe('audit', () => {
  it('finds nothing in any true run of a correct pool, however the calls overlap', () => {
    fc.assert(
      fc.property(run, ({ seed, length, overlap }) => {
        expect(audit(randomRun(seed, length, overlap).input).findings).toEqual([]);
      }),
      { numRuns: 1_000 },
    );
  });

  it('says the same broken units as the pool itself, wherever no sale could reach damaged units', () => {
    fc.assert(
      fc.property(run, ({ seed, length, overlap }) => {
        const { input } = randomRun(seed, length, overlap);
        const { broken, brokenExpected } = audit(input);
        expect(brokenExpected).toBe(broken);
      }),
    );
  });

  it('finds a grant beyond the stock, after any true run', () => {
    fc.assert(
      fc.property(run, fc.integer({ min: 1, max: 5 }), ({ seed, length, overlap }, extra) => {
        const { input, pool } = randomRun(seed, length, overlap);
        const after = length + 2 * overlap + 2;
        const quantity = pool.free('A', 'n2') + extra;
        const { oversold } = audit(withHold(input, grant('beyond', after, after + 1, quantity, 'n2')));
        const missing = Math.min(
          quantity,
          quantity - pool.row('A', 'n2').sellable + pool.promised('A', 'n2') + pool.row('A', 'n2').overdrawn,
        );
        // Where a sale may have reached damaged units, some orderings have more free: then fewer are proven missing.
        if (damageTold(input, 'A', 'n2') === 0) expect(oversold).toBe(missing);
        else expect(oversold).toBeLessThanOrEqual(missing);
      }),
    );
  });

  it('finds a refusal of units that were there, after any true run', () => {
    fc.assert(
      fc.property(run, ({ seed, length, overlap }) => {
        const { input, pool } = randomRun(seed, length, overlap);
        const after = length + 2 * overlap + 2;
        const certain = NODES.every((node) => pool.row('A', node).damaged === damageTold(input, 'A', node));
        fc.pre(certain && pool.freeAnywhere('A') > 0);
        const exact = audit(withHold(input, refusal(after, after + 1, pool.freeAnywhere('A'))));
        const beyond = audit(withHold(input, refusal(after, after + 1, pool.freeAnywhere('A') + 1)));
        expect([exact.undersold, beyond.undersold]).toEqual([1, 0]);
      }),
    );
  });

  it('catches two overlapping buyers of one unit', () => {
    const { oversold } = audit(only([grant('one', 10, 20, 1), grant('two', 12, 18, 1)], [receipt(0, 1)]));
    expect(oversold).toBe(1);
  });

  it('catches three overlapping buyers of one unit twice, also when one call took very long', () => {
    const buyers = [grant('one', 5, 900, 1), grant('two', 12, 18, 1), grant('three', 13, 21, 1)];
    expect(audit(only(buyers, [receipt(0, 1)])).oversold).toBe(2);
  });

  it('lets a physical sale break a promise, and catches a grant that came after it', () => {
    const sale: MovementRecord = {
      ...receipt(30, 5),
      movements: [{ type: 'sale', sku: 'A', node: 'n1', quantity: 5 }],
    };
    expect(audit(only([grant('early', 10, 20, 5)], [receipt(0, 5), sale])).oversold).toBe(0);
    expect(audit(only([grant('late', 40, 50, 2)], [receipt(0, 5), sale])).oversold).toBe(2);
    expect(audit(only([grant('overlapping', 10, 35, 5)], [receipt(0, 5), sale])).oversold).toBe(0);
  });

  it('catches a grant that leans on another node', () => {
    const { oversold } = audit(only([grant('one', 10, 20, 3, 'n2')], [receipt(0, 5, 'n1'), receipt(2, 1, 'n2')]));
    expect(oversold).toBe(2);
  });

  it('takes a refusal as right while a call that overlaps it may have had the units', () => {
    const during = only([refusal(10, 20, 1), grant('other', 15, 30, 1)], [receipt(0, 1)]);
    const after = only([refusal(10, 20, 1), grant('other', 25, 30, 1)], [receipt(0, 1)]);
    expect([audit(during).undersold, audit(after).undersold]).toEqual([0, 1]);
  });

  it('takes a refusal as right while an unanswered call may have had the units', () => {
    const unknown: HoldRecord = { ...refusal(2, Infinity, 1), outcome: 'unknown' };
    expect(audit(only([unknown, refusal(10, 20, 1)], [receipt(0, 1)])).undersold).toBe(0);
  });

  it('counts a partial grant as undersold only below what was certainly there', () => {
    const partial = (granted: number): HoldRecord => ({
      ...grant('partial', 10, 20, granted),
      allowPartial: true,
      requested: new Map([['A', 9]]),
    });
    expect(audit(only([partial(4)], [receipt(0, 4)])).undersold).toBe(0);
    expect(audit(only([partial(3)], [receipt(0, 4)])).undersold).toBe(1);
  });

  it('counts units of acknowledged effects that the book lacks or has twice', () => {
    const { input } = randomRun(7, 60, 1);
    const lessOne = input.stocks.map((stock) => ({
      ...stock,
      rows: stock.rows.map((row, index) => (index === 0 ? { ...row, overdrawn: row.overdrawn + 1 } : row)),
    }));
    const twice = { ...input, stocks: lessOne };
    expect(audit(input).lost).toBe(0);
    expect(audit(twice).lost).toBe(2);
  });

  it('counts broken promises that the history does not explain', () => {
    const { input } = randomRun(7, 60, 1);
    const more = input.stocks.map((stock) => ({
      ...stock,
      rows: stock.rows.map((row) => ({ ...row, shortfall: row.shortfall + 1 })),
    }));
    const { broken, brokenExpected } = audit({ ...input, stocks: more });
    expect(broken - brokenExpected).toBe(6);
  });
});

const damageTold = (input: AuditInput, sku: string, node: string): number =>
  input.history.movements
    .filter(({ outcome }) => outcome === 'applied')
    .flatMap(({ movements }) => movements)
    .reduce((sum, one) => sum + (one.type === 'damage' && one.sku === sku && one.node === node ? one.quantity : 0), 0);
