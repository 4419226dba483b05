import { describe, expect, it } from '@jest/globals';
import { KeyId, PrincipalId } from '@onepool/contracts';
import { isPrincipalId } from '@onepool/platform-auth';
import { compileSchema } from '@onepool/platform-problem';
import fc from 'fast-check';
import { demandCodes, newId } from './identity-input.ts';

/** The contract and the platform may not know each other, so each has the form of an id; here they meet. */
describe('the id of a principal', () => {
  const { accepts } = compileSchema<string>(PrincipalId);

  it('that is made is one to the contract and to the platform, and never made twice', () => {
    const made = Array.from({ length: 200 }, () => newId('prn'));
    expect(made.filter((id) => !accepts(id) || !isPrincipalId(id))).toEqual([]);
    expect(new Set(made).size).toBe(made.length);
    expect(compileSchema<string>(KeyId).accepts(newId('key'))).toBe(true);
  });

  it('is the same to both, whatever is taken for one', () => {
    const digit = fc.constantFrom(...'az27018A-_\n'.split(''));
    const near = fc
      .tuple(fc.constantFrom('prn_', 'prn', 'key_', ' prn_'), fc.array(digit, { minLength: 11, maxLength: 13 }))
      .map(([prefix, digits]) => prefix + digits.join(''));
    fc.assert(fc.property(near, (text) => expect(accepts(text)).toBe(isPrincipalId(text))));
    for (const text of ['prn_aaaaaaaaaaaa', 'prn_aaaaaaaaaaa', 'prn_aaaaaaaaaaaa\n', 'prn_aaaaaaaaaaa1'])
      expect([text, accepts(text)]).toEqual([text, isPrincipalId(text)]);
  });
});

describe('a limit', () => {
  it('names so few codes that those of a principal and of its key fit into one message', () => {
    const codes = (count: number, length: number) => Array.from({ length: count }, () => 'x'.repeat(length));
    expect(() => demandCodes({ nodes: codes(2_000, 90), channels: null })).not.toThrow();
    expect(() => demandCodes({ nodes: codes(2_001, 1) })).toThrow(/at most 2000 codes/);
    expect(() => demandCodes({ channels: codes(2_000, 255) })).toThrow(/at most 200000 bytes/);
  });
});
