/** Stock as a module: units, the promises that they back, and what other systems tell of them. */
import type { ModuleContract } from '../shared/module-contract.ts';
import { STOCK_FACTS, STOCK_SCOPE } from './facts.ts';

export const STOCK = {
  scope: STOCK_SCOPE,
  facts: STOCK_FACTS,
  parts: [
    {
      name: 'ATP',
      paths: /^\/v1\/atp/,
      description: 'Available to promise: what a channel may sell now. Read from memory, at most 250 ms behind.',
    },
    {
      name: 'Reservations',
      paths: /^\/v1\/(reservations|allocations)/,
      description:
        'One object from cart to shipment. Its units are held, then confirmed, then fulfilled, released, expired or cancelled, and each is backed by stock at a named node.',
    },
    {
      name: 'Stock',
      paths: /^\/v1\/(stock|movements|stops|inbound|receipts|transfers|inspections|ledger)/,
      description:
        'The book: units by SKU, node and state, the movements that change them, stops of their sale, and the ledger that says why.',
    },
    {
      name: 'Feeds',
      paths: /^\/v1\/(feeds|sources)/,
      description: 'Counts and changes of stock told by another system, by the million rows.',
    },
    {
      name: 'Exceptions and events',
      paths: /^\/v1\/(exceptions|events)/,
      description: 'Promises that no node can cover, and how many facts were written.',
    },
  ],
} as const satisfies ModuleContract;
