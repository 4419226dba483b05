import { withClient } from '@onepool/platform-postgres';
import type { OwnSystem } from '../../own-system.ts';

/**
 * Ends the leases of feeds once a worker was killed, which would run out by themselves after half a minute. A worker that
 * lives is not disturbed: it compares the cursor.
 */
export async function endLeases(system: OwnSystem, failpoint: string): Promise<void> {
  if (!system.wasKilledAt(failpoint)) return;
  const update = `
    UPDATE availability.feed SET lease_until = clock_timestamp()
     WHERE state = 'applying' AND lease_until > clock_timestamp()`;
  await withClient(system.databaseOwnerUrl, (client) => client.query(update));
}
