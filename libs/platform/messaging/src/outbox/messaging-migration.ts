import type { SchemaRights } from '@onepool/platform-postgres';
import pg from 'pg';

/**
 * The statements that create the messaging tables in `schema`, to be run one by one inside a migration of the app.
 *
 * - `outbox` is append-only. Its identity must not cache values (CACHE 1): the relay reads the sequence to know which
 *   ids have been given out.
 * - `relay_cursor` has one row a partition: who relays it (owner, epoch, lease), how far it is certain that nothing is
 *   missing (`low`), and what the stream acknowledged, so that a loss in the stream is noticed.
 * - `inbox` remembers which consumer has taken which event into effect.
 */
export function messagingMigration(schema: string): readonly string[] {
  const s = pg.escapeIdentifier(schema);
  return [
    `CREATE TABLE ${s}.outbox (
       id bigint GENERATED ALWAYS AS IDENTITY (SEQUENCE NAME ${s}.outbox_id_seq CACHE 1) PRIMARY KEY,
       partition smallint NOT NULL CHECK (partition >= 0),
       key text NOT NULL,
       subject text NOT NULL,
       event_id text NOT NULL,
       type text NOT NULL,
       source text NOT NULL,
       time timestamptz NOT NULL,
       trace text,
       data jsonb NOT NULL,
       recorded_at timestamptz NOT NULL DEFAULT clock_timestamp()
     )`,
    `CREATE INDEX outbox_partition_id ON ${s}.outbox (partition, id)`,
    `CREATE TABLE ${s}.relay_cursor (
       partition smallint PRIMARY KEY,
       owner text,
       epoch bigint NOT NULL DEFAULT 0,
       lease_until timestamptz NOT NULL DEFAULT '-infinity',
       low bigint NOT NULL DEFAULT 0,
       stream_created timestamptz,
       stream_seq bigint NOT NULL DEFAULT 0,
       stream_event_id text,
       checkpoints jsonb NOT NULL DEFAULT '[]'
     )`,
    `CREATE TABLE ${s}.inbox (
       consumer text NOT NULL,
       event_id text NOT NULL,
       received_at timestamptz NOT NULL DEFAULT clock_timestamp(),
       PRIMARY KEY (consumer, event_id)
     )`,
    `CREATE INDEX inbox_received_at ON ${s}.inbox (received_at)`,
  ];
}

/** What relay, consumers and retention need of these tables. Facts are never changed. */
export const messagingRights: SchemaRights = {
  tables: {
    outbox: ['SELECT', 'INSERT', 'DELETE'],
    relay_cursor: ['SELECT', 'INSERT', 'UPDATE'],
    inbox: ['SELECT', 'INSERT', 'DELETE'],
  },
  sequences: { outbox_id_seq: ['SELECT'] },
};
