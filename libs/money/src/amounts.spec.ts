import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type Amounts, NO_AMOUNTS, add, divide, isZero, subtract, total } from './amounts.ts';

const cents = fc.integer({ min: -1_000_000, max: 100_000_000 });
const amounts = (taxes: number): fc.Arbitrary<Amounts> =>
  fc.record({ net: cents, discount: cents, taxes: fc.array(cents, { minLength: taxes, maxLength: taxes }) });
const sumOf = (all: readonly Amounts[]): Amounts => all.reduce(add, NO_AMOUNTS);

describe('amounts', () => {
  it('are what they were however they are divided', () => {
    const quantities = fc
      .array(fc.nat(100), { minLength: 1, maxLength: 8 })
      .filter((all) => all.some((one) => one > 0));
    fc.assert(
      fc.property(amounts(2), quantities, (whole, by) => {
        expect(sumOf(divide(whole, by))).toEqual(whole);
      }),
    );
  });

  it('of units that leave one by one differ by one minor unit at most (magento2#38388: 19.00, 19.01, 18.99)', () => {
    fc.assert(
      fc.property(fc.nat(1_000_000), fc.integer({ min: 1, max: 60 }), (net, count) => {
        let rest: Amounts = { net, discount: 0, taxes: [] };
        const units: number[] = [];
        for (let left = count; left > 1; left--) {
          const [one, others] = divide(rest, [1, left - 1]) as [Amounts, Amounts];
          units.push(one.net);
          rest = others;
        }
        units.push(rest.net);
        expect(units.reduce((sum, one) => sum + one)).toBe(net);
        expect(Math.max(...units) - Math.min(...units)).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('are zero when they are taken from themselves', () => {
    fc.assert(fc.property(amounts(3), (one) => expect(isZero(subtract(one, one))).toBe(true)));
  });

  it('are paid with their taxes unless prices include them', () => {
    const one = { net: 1_190, discount: 10, taxes: [100, 90] };
    expect(total(one, { taxIncluded: false })).toBe(1_380);
    expect(total(one, { taxIncluded: true })).toBe(1_190);
  });

  it('of lines with other taxes are not summed', () => {
    expect(() => add({ net: 1, discount: 0, taxes: [1] }, { net: 1, discount: 0, taxes: [1, 2] })).toThrow();
    expect(add(NO_AMOUNTS, { net: 1, discount: 0, taxes: [1, 2] })).toEqual({ net: 1, discount: 0, taxes: [1, 2] });
  });
});
