/** What a key of the availability app may be allowed. No scope implies another. */
import { CATALOG_SCOPES } from '../catalog/scopes.ts';
import type { ScopeDefinition } from '../shared/app-contract.ts';

export const AVAILABILITY_SCOPES = {
  'stock:read': { may: 'read ATP, stock, its ledger, feeds and exceptions' },
  'stock:write': { may: 'record movements, send feeds and stop the sale of SKUs' },
  'stock:inspect': { may: 'say of units in inspection whether they are sound' },
  'stock:audit': { may: 'see in the ledger who moved the units' },
  'feeds:approve': {
    may: 'list, read, approve and reject feeds that wait for approval, of any principal',
    explicit: true,
    human: true,
  },
  'reservations:read': { may: 'read its own reservations' },
  'reservations:any': {
    may: 'name the owner of a reservation, and so do with another’s what it may do with its own',
    explicit: true,
  },
  'reservations:write': { may: 'hold units, and confirm, move, fulfil, release and cancel what it holds' },
  'stock:override': {
    may: 'promise units that thresholds or lists keep back, because they are sold or a person has decided so',
    explicit: true,
  },
  ...CATALOG_SCOPES,
  'events:read': { may: 'count facts' },
} as const satisfies Record<string, ScopeDefinition>;
