import { STOCK_STREAM } from '@onepool/contracts';
import { startRelay } from '@onepool/platform-messaging';
import type { Relay } from '@onepool/platform-messaging';
import { createPool } from '@onepool/platform-postgres';
import type { FactsStream } from '../events/facts-stream.ts';
import type { BenchDatabase } from '../setting/database.ts';

/** The relay as the app runs it, in the benchmark's process. */
export function relayOf(database: BenchDatabase, stream: FactsStream): { relay: Relay; stop: () => Promise<void> } {
  const pool = createPool({
    url: database.url,
    schema: database.schema,
    max: 2,
    applicationName: 'bench-relay',
    statementTimeoutMs: 5_000,
    lockTimeoutMs: 3_000,
    idleInTransactionTimeoutMs: 5_000,
    connectTimeoutMs: 2_000,
  });
  const relay = startRelay({
    pool,
    connection: stream.connection,
    schema: database.schema,
    stream: STOCK_STREAM,
    partitionCount: database.partitionCount,
    leaseMs: 5_000,
    publishTimeoutMs: 2_000,
  });
  return { relay, stop: async () => relay.stop().then(() => pool.end()) };
}
