/** Whole histories: random sequences of everything that can happen, each decision checked against a second opinion. */
import { describe, it } from '@jest/globals';
import fc from 'fast-check';
import type { MovementType } from './decide-movements.ts';
import { NODES, PoolDriver, SKUS } from './testing/pool-driver.ts';

type Step = (pool: PoolDriver) => void;

const sku = fc.constantFrom(...SKUS);
const node = fc.constantFrom(...NODES);
const few = fc.integer({ min: 1, max: 4 });
const pick = fc.nat(7);
const seller = fc.record({
  channel: fc.constantFrom(1, 1, 2),
  nodes: fc.oneof(
    { weight: 3, arbitrary: fc.constant(null) },
    { weight: 1, arbitrary: fc.subarray(NODES, { minLength: 1 }) },
  ),
});

const stock: fc.Arbitrary<Step> = fc
  .record({
    type: fc.constantFrom<MovementType>('receipt', 'found', 'sale', 'adjustment', 'transfer'),
    sku,
    node,
    toNode: node,
    quantity: few,
    negative: fc.boolean(),
  })
  .map(({ negative, quantity, ...rest }) => (pool) => {
    const signed = rest.type === 'adjustment' && negative ? -quantity : quantity;
    pool.move({ ...rest, quantity: signed });
  });
/** A busy till: what makes promises fall short while other nodes still have units. */
const sale: fc.Arbitrary<Step> = fc
  .record({ sku, node, quantity: fc.integer({ min: 3, max: 8 }) })
  .map((sold) => (pool) => pool.move({ type: 'sale', toNode: null, ...sold }));
const hold: fc.Arbitrary<Step> = fc
  .record({
    seller,
    lines: fc.array(fc.record({ sku, quantity: few }), { minLength: 1, maxLength: 3 }),
    partial: fc.boolean(),
  })
  .map(
    ({ seller: by, lines, partial }) =>
      (pool) =>
        pool.hold(by, lines, partial),
  );
const confirm: fc.Arbitrary<Step> = fc.record({ pick, reacquire: fc.boolean() }).map(
  ({ pick: which, reacquire }) =>
    (pool) =>
      pool.confirm(which, reacquire),
);
const leave: fc.Arbitrary<Step> = fc
  .record({
    verb: fc.constantFrom('release' as const, 'cancel' as const, 'fulfil' as const),
    pick,
    part: fc.option(fc.record({ backing: fc.nat(3), quantity: few }), { nil: null }),
  })
  .map(
    ({ verb, pick: which, part }) =>
      (pool) =>
        pool.leave(verb, which, part),
  );
const reback: fc.Arbitrary<Step> = fc
  .record({ pick, backing: fc.nat(3), to: node, quantity: fc.integer({ min: 1, max: 2 }) })
  .map(
    ({ pick: which, backing, to, quantity }) =>
      (pool) =>
        pool.reback(which, backing, to, quantity),
  );
const extend: fc.Arbitrary<Step> = pick.map((which) => (pool) => pool.extend(which));
const heal: fc.Arbitrary<Step> = sku.map((which) => (pool) => pool.heal(which));
const wait: fc.Arbitrary<Step> = fc.constantFrom(1, 60, 100).map((ms) => (pool) => pool.wait(ms));

const step = fc.oneof(
  { weight: 4, arbitrary: stock },
  { weight: 2, arbitrary: sale },
  { weight: 6, arbitrary: hold },
  { weight: 3, arbitrary: confirm },
  { weight: 3, arbitrary: leave },
  { weight: 5, arbitrary: reback },
  { weight: 1, arbitrary: extend },
  { weight: 3, arbitrary: heal },
  { weight: 2, arbitrary: wait },
);
const opening = fc.array(fc.record({ sku, node, quantity: fc.integer({ min: 2, max: 9 }) }), {
  minLength: 6,
  maxLength: 12,
});

describe('a pool of two SKUs at four nodes', () => {
  it('decides as the model does, and keeps every law after every step', () => {
    fc.assert(
      fc.property(opening, fc.array(step, { minLength: 30, maxLength: 60 }), (receipts, steps) => {
        const pool = new PoolDriver();
        for (const receipt of receipts) pool.move({ type: 'receipt', toNode: null, ...receipt });
        pool.check();
        for (const happen of steps) {
          happen(pool);
          pool.check();
        }
      }),
      { numRuns: 100 },
    );
  });
});
