/** The availability app as others see it. */
import type { AppContract } from '../shared/app-contract.ts';
import { IDENTITY_SUBJECTS } from '../identity/subjects.ts';
import * as primitives from '../shared/primitives.ts';
import * as catalog from './catalog.ts';
import { AVAILABILITY_EXAMPLES } from './examples.ts';
import * as facts from './facts.ts';
import * as feeds from './feeds.ts';
import { AVAILABILITY_OPERATIONS } from './operations.ts';
import { AVAILABILITY_PROBLEMS } from './problems.ts';
import * as reservations from './reservations.ts';
import { AVAILABILITY_SCOPES } from './scopes.ts';
import * as stock from './stock.ts';

export const AVAILABILITY = {
  name: 'availability',
  title: 'Onepool availability',
  description: 'Stock, reservations and what can be promised (ATP).',
  scopes: AVAILABILITY_SCOPES,
  operations: AVAILABILITY_OPERATIONS,
  examples: AVAILABILITY_EXAMPLES,
  problems: AVAILABILITY_PROBLEMS,
  streams: [{ stream: facts.FACTS_STREAM, subjects: facts.FACTS_SUBJECTS, facts: facts.STOCK_FACTS }],
  consumes: [],
  internal: {
    answers: [{ subject: IDENTITY_SUBJECTS.verify, queue: 'identity' }],
    tells: [IDENTITY_SUBJECTS.beat],
  },
  parts: [
    {
      name: 'Catalogue',
      paths: /^\/v1\/(skus|nodes|channels|thresholds)/,
      description: 'What is sold, where it lies, who sells it, and how many units of it a channel does not see.',
    },
    {
      name: 'ATP',
      paths: /^\/v1\/atp/,
      description: 'Available to promise: what a channel may sell now. Read from memory, at most 250 ms behind.',
    },
    {
      name: 'Reservations',
      paths: /^\/v1\/reservations/,
      description:
        'One object from cart to shipment. Its units are held, then confirmed, then fulfilled, released, expired or cancelled, and each is backed by stock at a named node.',
    },
    {
      name: 'Stock',
      paths: /^\/v1\/(stock|movements|ledger)/,
      description:
        'The book: units by SKU, node and state, the movements that change them, and the ledger that says why.',
    },
    {
      name: 'Feeds',
      paths: /^\/v1\/feeds/,
      description: 'Counts and changes of stock told by another system, by the million rows.',
    },
    {
      name: 'Exceptions and events',
      paths: /^\/v1\/(exceptions|events)/,
      description: 'Promises that no node can cover, and how many facts were written.',
    },
  ],
  schemas: [primitives, catalog, reservations, stock, feeds, facts],
} as const satisfies AppContract;
