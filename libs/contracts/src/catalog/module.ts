/** The catalogue as a module: what is sold, where it lies, and who sells it. */
import type { ModuleContract } from '../shared/module-contract.ts';
import { CATALOG_FACTS, CATALOG_SNAPSHOTS } from './facts.ts';
import { CATALOG_SCOPE } from './operations.ts';

export const CATALOG = {
  scope: CATALOG_SCOPE,
  facts: CATALOG_FACTS,
  snapshots: CATALOG_SNAPSHOTS,
  parts: [
    {
      name: 'Catalogue',
      paths:
        /^\/v1\/(skus|nodes|channels|thresholds|prices|fences|allowances|stop-rules|receipt-policies|eligibility-rules)/,
      description:
        'What is sold, where it lies, who sells it, for how much, which units a channel does not see, where nothing is sold, and what is inspected when it arrives.',
    },
  ],
} as const satisfies ModuleContract;
