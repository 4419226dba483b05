/** What a key may be allowed of the catalogue. */
import type { ScopeDefinition } from '../shared/app-contract.ts';

export const CATALOG_SCOPES = {
  'catalog:read': { may: 'list SKUs, nodes, channels and thresholds' },
  'catalog:write': { may: 'create and replace SKUs, nodes, channels and thresholds' },
} as const satisfies Record<string, ScopeDefinition>;
