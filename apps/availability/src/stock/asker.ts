import type { Caller } from '@onepool/platform-auth';
import type { Asker } from '@onepool/stock-data-access';

/** Who asks the engine, on whose behalf, with which limits, and when by its own clock. */
export const askerOf = ({ id: actor, person, nodes, channels }: Caller, sentAt: number | null = null): Asker => ({
  actor,
  person,
  nodes,
  channels,
  sentAt,
});
