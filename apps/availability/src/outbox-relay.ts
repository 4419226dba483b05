/** The relay of this replica with the connections it needs. */
import { FACTS_STREAM, FACTS_SUBJECTS } from '@onepool/contracts';
import {
  type NatsReport,
  type RelayHooks,
  connectNats,
  monitorConnection,
  natsAddress,
  startRelay,
} from '@onepool/platform-messaging';
import { createPool } from '@onepool/platform-postgres';
import { type AvailabilityConfig, PARTITION_COUNT, SCHEMA } from './config.ts';

export interface OutboxRelay {
  /** Looks at once for facts to publish. */
  nudge(): void;
  isConnected(): boolean;
  isReady(): boolean;
  /** Whether the stream lost facts and is being filled again. */
  isRefilling(): boolean;
  close(): Promise<void>;
}

export async function startOutboxRelay(
  config: AvailabilityConfig,
  hooks: RelayHooks,
  report: (report: NatsReport) => void,
): Promise<OutboxRelay> {
  const name = `${config.ONEPOOL_INSTANCE}-relay`;
  const connection = await connectNats({ ...natsAddress(config), name, report });
  const monitor = monitorConnection(connection);
  const pool = createPool({
    url: config.DATABASE_URL,
    max: 2,
    schema: SCHEMA,
    applicationName: name,
    statementTimeoutMs: 5_000,
    lockTimeoutMs: 3_000,
    idleInTransactionTimeoutMs: 5_000,
    connectTimeoutMs: 2_000,
    // What is new is a sliver of the outbox, whatever the statistics of a minute ago say.
    settings: { enable_seqscan: 'off', jit: 'off' },
  });
  const relay = startRelay({
    pool,
    connection,
    schema: SCHEMA,
    stream: { name: FACTS_STREAM, subjects: [...FACTS_SUBJECTS] },
    partitionCount: PARTITION_COUNT,
    leaseMs: 5_000,
    publishTimeoutMs: 2_000,
    hooks,
  });
  return {
    nudge: () => relay.nudge(),
    isConnected: () => monitor.isConnected(),
    isReady: () => relay.isReady(),
    isRefilling: () => relay.isRefilling(),
    close: async () => {
      await relay.stop();
      monitor.stop();
      await connection.close();
      await pool.end();
    },
  };
}
