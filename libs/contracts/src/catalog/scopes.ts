/** What a key may be allowed of the catalogue. */
import type { ScopeDefinition } from '../shared/app-contract.ts';

export const CATALOG_SCOPES = {
  'catalog:read': { may: 'list SKUs, nodes, channels, prices, and the rules that limit their sale' },
  'catalog:write': { may: 'create and change SKUs, nodes, channels, prices, and the rules that limit their sale' },
} as const satisfies Record<string, ScopeDefinition>;
