/** Refusals that a correct client meets: sold out, or the units moved or left before the step came. */
const EXPECTED_REFUSALS = new Set([
  'stock.insufficient',
  'movement.exceeds_stock',
  'reservation.not_held',
  'reservation.not_confirmed',
  'reservation.expired',
]);

/** True for a problem code that says no more than that the units are not there, or not there any more. */
export const isExpectedRefusal = (code: string | undefined): boolean =>
  code !== undefined && EXPECTED_REFUSALS.has(code);
