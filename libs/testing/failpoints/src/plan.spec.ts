import { describe, expect, it } from '@jest/globals';
import { PlanError, parsePlan } from './plan.ts';

describe('a plan', () => {
  it('tells what happens where, at which passing, and which bugs are on', () => {
    const text = 'stock.batch.after_commit=kill@3 catalog.skus.before_commit=delay:20\nstock.answers_unwritten=planted';
    const { orders, planted } = parsePlan(text);
    expect(Object.fromEntries(orders)).toEqual({
      'stock.batch.after_commit': { kind: 'kill', hit: 3 },
      'catalog.skus.before_commit': { kind: 'delay', delayMs: 20, hit: null },
    });
    expect([...planted]).toEqual(['stock.answers_unwritten']);
  });

  it('ends, holds and fails at the first passing unless told, and delays at each', () => {
    const hitOf = (action: string) =>
      parsePlan(`stock.batch.before_commit=${action}`).orders.values().next().value?.hit;
    expect(['kill', 'hold', 'throw', 'delay:5', 'delay:5@2'].map(hitOf)).toEqual([1, 1, 1, null, 2]);
  });

  it.each([
    'stock.batch=kill',
    'stock.nothing.before_commit=kill',
    'stock.nothing=planted',
    'stock.batch.before_commit=planted',
    'stock.answers_unwritten=kill',
    'stock.batch.before_commit=kill@0',
    'stock.batch.before_commit=kill:5',
    'stock.batch.before_commit=delay',
    'stock.batch.before_commit',
  ])('is refused when it says %s', (text) => {
    expect(() => parsePlan(text)).toThrow(PlanError);
  });
});
