/** One replica, called without repetition: what the prober is told is what it records. */
import { type Client, createClient } from '@onepool/client';
import { AVAILABILITY } from '@onepool/contracts';

export interface Replica {
  readonly url: string;
  readonly onepool: Client<typeof AVAILABILITY>;
}

/** Longer than any deadline of the system, so that whoever answers at all is heard. */
const ATTEMPT_TIMEOUT_MS = 20_000;
/** So many that no probe waits for another. */
const CONNECTIONS = 10_000;

export const replicaAt = (url: string, apiKey: string): Replica => ({
  url,
  onepool: createClient(AVAILABILITY, {
    http: { url, connections: CONNECTIONS },
    apiKey,
    retry: false,
    timeoutMs: ATTEMPT_TIMEOUT_MS,
    attemptTimeoutMs: ATTEMPT_TIMEOUT_MS,
  }),
});
