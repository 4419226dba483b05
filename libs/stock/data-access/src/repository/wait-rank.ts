/** Who is served first of those whose units have not come yet, as a number: lower is first. It says what the domain's `inWaitOrder` does. */
import type { Reservation } from '@onepool/stock-domain';

/** More than any time in milliseconds, so that priority comes before age; and few enough bits for a number to hold both. */
const AGES = 2 ** 44;
const PRIORITY_MAX = 100;

export const waitRankOf = ({
  priority,
  orderedAt,
  createdAt,
}: Pick<Reservation, 'priority' | 'orderedAt' | 'createdAt'>): number =>
  (PRIORITY_MAX - priority) * AGES + (orderedAt ?? createdAt);
