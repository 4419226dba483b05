/** Whose units ride on a line, among all that are loaded. */
import { type Reservation, type SkuSupply, inWaitOrder, onTheWay, open, promised, rowOf } from '@onepool/stock-domain';
import type { BatchState } from '../repository/load-batch.ts';

/** Those first that are served first. */
export function ridersOn({ reservations }: BatchState, supply: SkuSupply, detail: number | null): Reservation[] {
  const line = supply.inbound.find((one) => one.detail === detail);
  // Most lines carry nobody, and a batch may have loaded many.
  if (line?.brings !== 'transfer' || promised(rowOf(supply, onTheWay(line))) === 0) return [];
  const rides = ({ backings }: Reservation): boolean =>
    backings.some(
      (one) => one.kind === 'incoming' && one.detail === detail && one.fulfilment !== null && open(one) > 0,
    );
  return [...reservations.values()]
    .map(({ reservation }) => reservation)
    .filter(rides)
    .sort(inWaitOrder);
}
