import { describe, expect, it } from '@jest/globals';
import { isSubject, isWithin } from './subjects.ts';

describe('a subject', () => {
  it.each(['onepool.stock.>', 'onepool.*.sku', 'a', '*'])('may be %s', (text) => {
    expect(isSubject(text)).toBe(true);
  });

  it.each(['', '>', 'a.>.b', 'a..b', 'a b', '.a', 'a.', '>.a'])('may not be %j', (text) => {
    expect(isSubject(text)).toBe(false);
  });
});

describe('a subject is within patterns', () => {
  it.each([
    ['onepool.stock.sku.changed.v1', ['onepool.stock.>']],
    ['onepool.stock.>', ['onepool.stock.>']],
    ['onepool.stock.*.changed.v1', ['onepool.catalog.>', 'onepool.stock.>']],
    ['a.b', ['a.*']],
    ['a.*', ['a.*']],
  ])('when all that matches %s matches one of %j', (subject, patterns) => {
    expect(isWithin(subject, patterns)).toBe(true);
  });

  it.each([
    ['onepool.stock', ['onepool.stock.>']],
    ['onepool.>', ['onepool.stock.>']],
    ['*.stock.sku', ['onepool.stock.>']],
    ['a.>', ['a.*']],
    ['a.b.c', ['a.*']],
    ['a', []],
  ])('and not when %s has more than %j', (subject, patterns) => {
    expect(isWithin(subject, patterns)).toBe(false);
  });
});
