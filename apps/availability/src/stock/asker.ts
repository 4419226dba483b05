import type { Caller } from '@onepool/platform-auth';
import type { ShipRequest } from '@onepool/contracts';
import { problem } from '@onepool/platform-problem';
import type { Asker } from '@onepool/stock-data-access';

/** Who asks the engine, on whose behalf, with which limits, and when by its own clock. */
export const askerOf = ({ id: actor, person, nodes, channels }: Caller, sentAt: number | null = null): Asker => ({
  actor,
  person,
  nodes,
  channels,
  sentAt,
});

/** Who asks, with the limits that bind it. @throws ProblemError when the owner is another, and the scope for that is not held. */
export function askerFor({ owner }: { readonly owner?: string | undefined }, caller: Caller): Asker {
  if (owner !== undefined && owner !== caller.id && !caller.scopes.has('reservations:any')) throw anothers;
  return askerOf(caller);
}

/** The same for everybody, whether there is such a reservation or not. */
const anothers = problem('auth.forbidden', { detail: 'The scope reservations:any is required to name another owner.' });
/** @throws ProblemError when what is kept back is to be overridden, and the scope for that is not held. */
export function demandOverride({ override }: { readonly override?: string | undefined }, { scopes }: Caller): void {
  if (override !== undefined && !scopes.has('stock:override')) throw noOverride;
}

/** @throws ProblemError when units of reservations ride, and the scope for that, or for naming another's, is not held. */
export function demandRiders({ lines }: Pick<ShipRequest, 'lines'>, caller: Caller): void {
  const riders = lines.flatMap((line) => line.riders ?? []);
  if (riders.length > 0 && !caller.scopes.has('reservations:write')) throw noRiders;
  for (const rider of riders) askerFor(rider, caller);
}

const noRiders = problem('auth.forbidden', {
  detail: 'The scope reservations:write is required to ship units of reservations.',
});
const noOverride = problem('auth.forbidden', {
  detail: 'The scope stock:override is required to override what is kept back.',
});
