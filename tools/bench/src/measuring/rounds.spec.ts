import { describe, expect, it } from '@jest/globals';
import { Results, interleave } from './rounds.ts';

describe('interleave', () => {
  it('gives everyone a turn in each round, in the same order', () => {
    const turns = interleave(['engine', 'multi'], 3).map(({ round, contender }) => `${round} ${contender}`);
    expect(turns).toEqual(['0 engine', '0 multi', '1 engine', '1 multi', '2 engine', '2 multi']);
  });
});

describe('Results', () => {
  it('gives one number a round, in the order of the rounds', () => {
    const results = new Results<'a' | 'b', { rate: number }>();
    results.add('a', { rate: 1 });
    results.add('b', { rate: 5 });
    results.add('a', { rate: 2 });
    expect(results.pick('a', ({ rate }) => rate)).toEqual([1, 2]);
  });

  it('has no number for who had no turn', () => {
    expect(() => new Results<'a', number>().pick('a', Number)).toThrow('a had no turn');
  });
});
