import type { Caller } from '@onepool/platform-auth';
import type { Asker } from '@onepool/stock-data-access';

/** Who asks the engine, on whose behalf, and with which limits. */
export const askerOf = ({ id: actor, person, nodes, channels }: Caller): Asker => ({ actor, person, nodes, channels });
