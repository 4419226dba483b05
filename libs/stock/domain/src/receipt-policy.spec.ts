import { describe, expect, it } from '@jest/globals';
import { type ReceiptPolicy, receiptRuleOf } from './receipt-policy.ts';

const HOUR_MS = 3_600_000;
const policy = (
  to: ReceiptPolicy['to'],
  node: number | null = null,
  reason: string | null = null,
  hours = 24,
): ReceiptPolicy => ({ to, node, reason, inspectWithinMs: hours * HOUR_MS });

describe('what a node does with what it receives', () => {
  it.each<[string, readonly ReceiptPolicy[], string | null, ReceiptPolicy['to']]>([
    ['is to sell it, without a policy', [], null, 'available'],
    ['is what is said of all nodes', [policy('quality_control')], 'purchase', 'quality_control'],
    ['is not what is said of another node', [policy('quality_control', 2)], null, 'available'],
    ['is not what is said of another reason', [policy('quality_control', null, 'return')], 'purchase', 'available'],
    [
      'is not what is said of a reason, where none is told',
      [policy('quality_control', null, 'return')],
      null,
      'available',
    ],
    [
      'is what is said of it before what is said of the reason',
      [policy('available', 1), policy('quality_control', null, 'return')],
      'return',
      'available',
    ],
    [
      'is what is said of both before all else',
      [policy('available', 1), policy('quality_control', 1, 'return'), policy('available', null, 'return')],
      'return',
      'quality_control',
    ],
    [
      'is the stricter of two that say the same',
      [policy('quality_control', 1), policy('available', 1)],
      null,
      'quality_control',
    ],
    [
      'is the stricter of two that say the same, in whatever order',
      [policy('available', 1), policy('quality_control', 1)],
      null,
      'quality_control',
    ],
  ])('%s', (_, policies, reason, expected) => expect(receiptRuleOf(policies, 1, reason).to).toBe(expected));

  it.each<[string, readonly ReceiptPolicy[], number]>([
    ['two days, without a policy', [], 48],
    [
      'what the policy says that holds',
      [policy('quality_control', null, null, 72), policy('available', 1, null, 4)],
      4,
    ],
    [
      'the shorter of two that say the same',
      [policy('quality_control', 1, null, 9), policy('quality_control', 1, null, 5)],
      5,
    ],
    [
      'that of the stricter of two, though it is the longer',
      [policy('available', 1, null, 5), policy('quality_control', 1, null, 9)],
      9,
    ],
  ])('leaves for an inspection %s', (_, policies, hours) =>
    expect(receiptRuleOf(policies, 1, 'purchase').inspectWithinMs).toBe(hours * HOUR_MS),
  );
});
