import { describe, expect, it } from '@jest/globals';
import { parseK6Summary } from './k6-summary.ts';

const text = JSON.stringify({
  metrics: {
    iterations: { type: 'counter', values: { count: 12, rate: 3 }, thresholds: { 'count>0': { ok: true } } },
    checks: { type: 'rate', values: { rate: 0.5, passes: 1, fails: 1 }, thresholds: { 'rate==1': { ok: false } } },
    hold_ms: { type: 'trend', values: { 'p(99)': 42 } },
  },
});

describe('parseK6Summary', () => {
  it('counts 0 for a counter that nothing was added to, which k6 leaves out', () => {
    const { counterOf } = parseK6Summary(text);
    expect([counterOf('iterations'), counterOf('dropped_iterations')]).toEqual([12, 0]);
  });

  it('reads single values and names the thresholds that do not hold', () => {
    const { valueOf, crossed } = parseK6Summary(text);
    expect(valueOf('hold_ms', 'p(99)')).toBe(42);
    expect(valueOf('confirm_ms', 'p(99)')).toBeUndefined();
    expect(crossed).toEqual(['checks: rate==1']);
  });
});
