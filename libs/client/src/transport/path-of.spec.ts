import { describe, expect, it } from '@jest/globals';
import { AVAILABILITY_OPERATIONS } from '@onepool/contracts';
import fc from 'fast-check';
import { pathOf } from './path-of.ts';
import { UnsendableError } from './transport.ts';

const { getAtp, listSkus } = AVAILABILITY_OPERATIONS;
const atpOf = (sku: unknown, query = {}): string => pathOf(getAtp, { params: { sku }, query });

describe('the path of a call', () => {
  it('carries any code, and gives it back to who reads it', () => {
    const isSendable = (code: string): boolean => code !== '.' && code !== '..';
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1 }).filter(isSendable), (code) => {
        const { pathname } = new URL(atpOf(code), 'http://onepool');
        const segments = pathname.split('/');
        expect([segments.length, decodeURIComponent(segments.at(-1)!)]).toEqual([4, code]);
      }),
    );
  });

  it('has the query’s members as text, and leaves out what is undefined', () => {
    expect(atpOf('mug', { channel: 'a&b', byNode: true, minVersion: undefined })).toBe(
      '/v1/atp/mug?channel=a%26b&byNode=true',
    );
    expect(pathOf(listSkus, {})).toBe('/v1/skus');
  });

  it.each([
    ['nothing', undefined, 'without `sku`'],
    ['an empty code', '', 'without `sku`'],
    ['.', '.', 'another address'],
    ['..', '..', 'another address'],
    ['half a character', '\ud800', 'well-formed'],
  ])('is refused for %s, before anything is sent', (_what, sku, words) => {
    expect(() => atpOf(sku)).toThrow(UnsendableError);
    expect(() => atpOf(sku)).toThrow(words);
  });
});
