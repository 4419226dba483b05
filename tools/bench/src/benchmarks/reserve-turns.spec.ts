import { describe, expect, it } from '@jest/globals';
import { KEYS } from '../reporting/keys.ts';
import { COMPARISONS, turnsFor } from './reserve-turns.ts';

describe('turns of reserve.*', () => {
  it('are only those that the chosen figures compare, engine before limit', () => {
    expect(turnsFor(['reserve.hot_vs_limit'])).toEqual(['hot_engine', 'hot_limit']);
    expect(turnsFor(['reserve.hot_per_s'])).toEqual(['hot_engine']);
  });

  it('give every ratio of the group', () => {
    const keys = KEYS.filter(({ key, kind }) => key.startsWith('reserve.') && kind === 'ratio');
    expect(keys.map(({ key }) => key).filter((key) => !(key in COMPARISONS))).toEqual([]);
  });
});
