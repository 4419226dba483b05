/** Where histories of the pool are played: told to the model and to the engine, each in its own way. */
import { type Limits, SellingRules } from '../../selling-rules.ts';
import { NOW, sellingChannel, sellingNode, threshold } from '../arbitraries.ts';
import type { Market } from './market.ts';

export const SKUS = [1, 2];
export const NODES = [1, 2, 3, 4];
export const PLACES = SKUS.flatMap((sku) => NODES.map((node) => ({ sku, node, name: `${sku}/${node}` })));
const CLOSING = NOW + 130;

/**
 * Channel 1 sells from everywhere, 2 from nodes 1 and 2; node 3 hides a unit; nodes 1 and 2 hide one and two from
 * channel 2, which shows one less besides; node 4 may close. Of SKU 1 some units may be promised that nobody has announced.
 */
export const marketThat = (closes: boolean): Market => ({
  nodes: NODES,
  sells: (channel, node, now) => (channel === 1 || node <= 2) && (node !== 4 || now < CLOSING || !closes),
  hiddenAt: (channel, node) => {
    if (node === 3) return 1;
    return channel === 2 && node < 3 ? node : 0;
  },
  hiddenFrom: (channel) => (channel === 2 ? 1 : 0),
  allowances: (sku) =>
    sku === 1
      ? [
          { node: 2, cap: 2 },
          { node: 0, cap: 4 },
        ]
      : [],
});

/** The same, and what limits sales by now. */
export const rulesOf = (closes: boolean, limits: Limits = {}): SellingRules =>
  new SellingRules(
    NODES.map((key) => sellingNode(key, { activeTo: key === 4 && closes ? CLOSING : null })),
    [sellingChannel(), sellingChannel({ key: 2, code: 'POS', nodes: new Set([1, 2]) })],
    [
      threshold({ node: 3, quantity: 1 }),
      threshold({ node: 1, channel: 2, quantity: 1 }),
      threshold({ node: 2, channel: 2, quantity: 2 }),
      threshold({ scope: 'network', channel: 2, quantity: 1 }),
    ],
    {
      ...limits,
      allowances: [
        { sku: 1, node: 2, cap: 2 },
        { sku: 1, node: null, cap: 4 },
      ],
    },
  );
