import { describe, expect, it } from '@jest/globals';
import { filterFor } from './filter-for.ts';

describe('the filter for some subjects', () => {
  it.each([
    [['a.b.c.v1'], 'a.b.c.v1'],
    [['a.b.c.v1', 'a.b.d.v1'], 'a.b.*.v1'],
    [['a.b.c.v1', 'a.x.d.v1'], 'a.*.*.v1'],
    [['a.b.c.v1', 'a.b.v1'], 'a.b.>'],
    [['a.b.v1', 'a.b.v1.more'], 'a.b.>'],
  ])('%j is %s', (subjects, pattern) => {
    expect(filterFor(subjects)).toBe(pattern);
  });
});
