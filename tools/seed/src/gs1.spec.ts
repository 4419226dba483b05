import { describe, expect, it } from '@jest/globals';
import { gs1CheckDigit } from '@onepool/contracts';
import { gs1Number } from './gs1.ts';

describe('a GS1 number', () => {
  it('has 13 digits of which the last is its check digit', () => {
    const number = gs1Number(42);
    expect(number).toMatch(/^061414100042\d$/);
    expect(gs1CheckDigit(number.slice(0, 12))).toBe(number.slice(12));
  });

  it.each([-1, 1.5, 100_000])('is not made from the serial number %d', (serial) => {
    expect(() => gs1Number(serial)).toThrow(RangeError);
  });
});
