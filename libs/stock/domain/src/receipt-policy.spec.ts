import { describe, expect, it } from '@jest/globals';
import { type ReceiptPolicy, receiptStateOf } from './receipt-policy.ts';

const policy = (to: ReceiptPolicy['to'], node: number | null = null, reason: string | null = null): ReceiptPolicy => ({
  to,
  node,
  reason,
});

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
  ])('%s', (_, policies, reason, expected) => expect(receiptStateOf(policies, 1, reason)).toBe(expected));
});
