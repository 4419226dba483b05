import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { gs1CheckDigit } from './gs1.ts';

describe('the check digit of a GS1 number', () => {
  it.each([
    ['400638133393', '1'],
    ['629104150021', '3'],
    ['978030640615', '7'],
    ['9638507', '4'],
    ['03600029145', '2'],
    ['1061414100041', '5'],
  ])('of %s is %s', (digits, expected) => {
    expect(gs1CheckDigit(digits)).toBe(expected);
  });

  it('tells of any one digit that is wrong', () => {
    const digits = fc.stringMatching(/^\d{7,13}$/);
    fc.assert(
      fc.property(digits, fc.nat(), fc.integer({ min: 1, max: 9 }), (right, at, by) => {
        const place = at % right.length;
        const wrong = [...right].map((digit, index) => (index === place ? (Number(digit) + by) % 10 : digit)).join('');
        expect(gs1CheckDigit(wrong)).not.toBe(gs1CheckDigit(right));
      }),
    );
  });
});
