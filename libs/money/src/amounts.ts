/** What units cost, as it travels with them. */
import assert from 'node:assert/strict';
import { share } from './share.ts';

/** Integers in minor units of one currency, which the order names. */
export interface Amounts {
  /** What is to be paid for the goods: after discounts, and with taxes only where prices include them. */
  readonly net: number;
  /** What has been taken off already: `net + discount` is the price before. */
  readonly discount: number;
  /** One for each tax of the line, in its order; what of `net` is tax where prices include them. */
  readonly taxes: readonly number[];
}

export const NO_AMOUNTS: Amounts = Object.freeze({ net: 0, discount: 0, taxes: Object.freeze([]) });

/** What a shopper pays. */
export const total = ({ net, taxes }: Amounts, { taxIncluded }: { readonly taxIncluded: boolean }): number =>
  taxIncluded ? net : taxes.reduce((sum, tax) => sum + tax, net);

export const isZero = ({ net, discount, taxes }: Amounts): boolean =>
  net === 0 && discount === 0 && taxes.every((tax) => tax === 0);

/** Of one line: both have the same taxes, or one of them has none at all. */
export function add(a: Amounts, b: Amounts): Amounts {
  return { net: a.net + b.net, discount: a.discount + b.discount, taxes: eachTax(a, b, (one, other) => one + other) };
}

export function subtract(a: Amounts, b: Amounts): Amounts {
  return { net: a.net - b.net, discount: a.discount - b.discount, taxes: eachTax(a, b, (one, other) => one - other) };
}

function eachTax(a: Amounts, b: Amounts, of: (a: number, b: number) => number): readonly number[] {
  const [some, others] = [a.taxes, b.taxes];
  assert(some.length === others.length || some.length * others.length === 0, 'amounts of two lines are not summed');
  const longer = some.length > others.length ? some : others;
  return longer.map((_, place) => of(some[place] ?? 0, others[place] ?? 0));
}

/** Divides amounts among quantities, so that each of net, discount and taxes sums to what it was. */
export function divide(amounts: Amounts, quantities: readonly number[]): readonly Amounts[] {
  const nets = share(amounts.net, quantities);
  const discounts = share(amounts.discount, quantities);
  const taxes = amounts.taxes.map((tax) => share(tax, quantities));
  return quantities.map((_, place) => ({
    net: nets[place] ?? 0,
    discount: discounts[place] ?? 0,
    taxes: taxes.map((shares) => shares[place] ?? 0),
  }));
}
