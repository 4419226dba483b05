import { describe, expect, it } from '@jest/globals';
import { minorDigits } from './currency.ts';

describe('the minor unit of a currency', () => {
  it.each([
    ['EUR', 2],
    ['USD', 2],
    ['JPY', 0],
    ['KRW', 0],
    ['KWD', 3],
    ['TND', 3],
  ])('of %s has %d decimals', (currency, digits) => expect(minorDigits(currency)).toBe(digits));

  it.each(['', 'EURO', 'eur', 'ZZZ', 'toString', '€'])('is not known of %j', (code) =>
    expect(minorDigits(code)).toBeNull(),
  );
});
