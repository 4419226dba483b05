/**
 * A durable consumer of the facts, run by the drill as a process of its own so that it can be killed: each fact adds one
 * row. The table has no key: an effect that happened twice shows as two rows.
 */
import type { SkuChanged } from '@onepool/contracts';
import { STOCK_STREAM, SKU_CHANGED } from '@onepool/contracts';
import { connectNats, runConsumer } from '@onepool/platform-messaging';
import type { FactEvent } from '@onepool/platform-messaging';
import { createPool } from '@onepool/platform-postgres';
import { CONSUMER_SCHEMA } from './consumer-database.ts';

/** Short, so that what a killed process had in hand comes back within a drill. */
const ACK_WAIT_MS = 3_000;

const connection = await connectNats({ url: process.env['FAULTS_NATS_URL'] ?? '', name: 'faults-consumer' });
const pool = createPool({
  url: process.env['FAULTS_DATABASE_URL'] ?? '',
  max: 10,
  applicationName: 'faults-consumer',
  schema: CONSUMER_SCHEMA,
  statementTimeoutMs: 5_000,
  lockTimeoutMs: 3_000,
  idleInTransactionTimeoutMs: 5_000,
  connectTimeoutMs: 2_000,
});

const log = (line: string): void => console.log(`${new Date().toISOString()} ${process.pid} ${line}`);
log('started');

const versionsOf = ({ subject, data }: FactEvent): readonly [number | null, number | null] => {
  if (subject !== SKU_CHANGED) return [null, null];
  const { fromVersion, toVersion } = data as SkuChanged;
  return [fromVersion, toVersion];
};

const consumer = runConsumer({
  connection,
  pool,
  schema: CONSUMER_SCHEMA,
  stream: STOCK_STREAM.name,
  durable: 'faults',
  filterSubject: 'onepool.stock.>',
  ackWaitMs: ACK_WAIT_MS,
  handler: async (event, client) => {
    await client.query('INSERT INTO effect (event_id, key, from_version, to_version) VALUES ($1, $2, $3, $4)', [
      event.id,
      event.key,
      ...versionsOf(event),
    ]);
  },
  hooks: {
    onError: (error) => log(`error: ${String(error)}`),
    onAlarm: (alarm) => log(`alarm: ${JSON.stringify(alarm)}`),
    onDeadLetter: ({ reason, event, error }) => log(`dead letter: ${reason} ${event?.id} ${String(error)}`),
  },
});

process.once('SIGTERM', () => {
  void consumer
    .stop()
    .then(() => connection.drain())
    .then(() => pool.end())
    .then(() => process.exit(0));
});
