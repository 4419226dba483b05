import { EXPIRES_IN_SECONDS_MAX, LINES_MAX, QUANTITY_UNITS_MAX } from '@onepool/contracts';
import type { Limits } from '@onepool/simulator-domain';

/** How much the contract lets one request ask for. */
export const CONTRACT_LIMITS: Limits = Object.freeze({
  linesMax: LINES_MAX,
  quantityUnitsMax: QUANTITY_UNITS_MAX,
  expiresInSecondsMax: EXPIRES_IN_SECONDS_MAX,
});
