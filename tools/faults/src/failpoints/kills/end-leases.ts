import { queryOnce } from '@onepool/testing-servers';
import type { OwnSystem } from '../../own-system.ts';

/**
 * Ends the leases of feeds once a worker was killed, which would run out by themselves after half a minute. A worker that
 * lives is not disturbed: it compares the cursor.
 */
export async function endLeases(system: OwnSystem, failpoint: string): Promise<void> {
  if (!system.wasKilledAt(failpoint)) return;
  await queryOnce(
    system.databaseOwnerUrl,
    `UPDATE availability.feed SET lease_until = clock_timestamp() WHERE state = 'applying' AND lease_until > clock_timestamp()`,
  );
}
