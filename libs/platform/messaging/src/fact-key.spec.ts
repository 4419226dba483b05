import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { factKey, nameInKey, readFactKey } from './fact-key.ts';

describe('the key of a fact', () => {
  it('names what it is about, with its parts percent-encoded', () => {
    expect(factKey('sku', 'A-1.2_b~')).toBe('sku/A-1.2_b~');
    expect(factKey('reservation', 'prn_1', 'cart/7 ö')).toBe('reservation/prn_1/cart%2F7%20%C3%B6');
  });

  it('tells apart whatever differs, and can be read back', () => {
    const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(name, name, (owner, id) => {
        expect(readFactKey(factKey('reservation', owner, id))).toEqual(['reservation', owner, id]);
      }),
    );
  });

  it('begins as the beginning of its name does', () => {
    const character = fc.string({ unit: 'binary', minLength: 1, maxLength: 1 });
    fc.assert(
      fc.property(fc.array(character), fc.array(character), (start, rest) => {
        const key = factKey('sku', [...start, ...rest].join(''));
        expect(key.startsWith(`sku/${nameInKey(start.join(''))}`)).toBe(true);
      }),
    );
  });
});
