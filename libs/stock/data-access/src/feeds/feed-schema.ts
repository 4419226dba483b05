import type { SchemaRights } from '@onepool/platform-postgres';

/** Tables of feeds, and what the ledger and the backings tell about the time of a count (ADR 0009). */
export const feedSchemaSql: readonly string[] = [
  `ALTER TABLE backing ADD COLUMN pinned_at timestamptz`,
  `ALTER TABLE ledger ADD COLUMN acknowledged_at timestamptz`,
  // What happened after a count. Holds and confirmations are not in it.
  `CREATE INDEX ledger_events ON ledger (sku_key, occurred_at)
     WHERE from_state = 0 OR to_state = 0 OR acknowledged_at IS NOT NULL`,
  // (client, id) is the idempotency key. `cursor` is the last SKU key (of a delta: line) whose rows are settled.
  `CREATE TABLE feed (
     feed_key bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
     client text NOT NULL,
     id text NOT NULL,
     parameters_hash bytea NOT NULL,
     source text NOT NULL,
     mode text NOT NULL CHECK (mode IN ('reset', 'delta')),
     measure text NOT NULL CHECK (measure IN ('physical', 'availability')),
     completeness text NOT NULL CHECK (completeness IN ('partial', 'full')),
     captured_at timestamptz NOT NULL,
     node_key integer,
     state text NOT NULL CHECK (state IN ('receiving', 'applying', 'done', 'failed')),
     attempt integer NOT NULL,
     prepared boolean NOT NULL DEFAULT false,
     cursor bigint NOT NULL DEFAULT 0,
     received bigint NOT NULL DEFAULT 0,
     staged bigint NOT NULL DEFAULT 0,
     absent bigint NOT NULL DEFAULT 0,
     settled bigint NOT NULL DEFAULT 0,
     applied bigint NOT NULL DEFAULT 0,
     refused bigint NOT NULL DEFAULT 0,
     refused_applying bigint NOT NULL DEFAULT 0,
     unreadable bigint NOT NULL DEFAULT 0,
     has_records boolean NOT NULL DEFAULT false,
     failure text,
     trace text,
     started_at timestamptz NOT NULL,
     staged_at timestamptz,
     finished_at timestamptz,
     lease_until timestamptz NOT NULL DEFAULT '-infinity',
     UNIQUE (client, id)
   ) WITH (fillfactor = 50)`,
  `CREATE INDEX feed_to_apply ON feed (feed_key) WHERE state = 'applying'`,
  `CREATE TABLE feed_refusal (
     feed_key bigint NOT NULL,
     refusal_key bigint GENERATED ALWAYS AS IDENTITY,
     line bigint NOT NULL,
     code text NOT NULL,
     message text NOT NULL,
     PRIMARY KEY (feed_key, refusal_key)
   )`,
  // Records of delta feeds that took effect: each once per source, ever.
  `CREATE TABLE feed_record (
     source text NOT NULL,
     record_id text NOT NULL,
     feed_key bigint NOT NULL,
     PRIMARY KEY (source, record_id)
   )`,
  `CREATE TABLE feed_watermark (
     block integer NOT NULL,
     node_key integer NOT NULL,
     source text NOT NULL,
     measure text NOT NULL,
     captured bigint[] NOT NULL,
     PRIMARY KEY (block, node_key, source, measure)
   ) WITH (fillfactor = 70)`,
];

export const feedRights: SchemaRights = {
  tables: {
    feed: ['SELECT', 'INSERT', 'UPDATE'],
    feed_refusal: ['SELECT', 'INSERT', 'DELETE'],
    feed_record: ['SELECT', 'INSERT'],
    feed_watermark: ['SELECT', 'INSERT', 'UPDATE'],
  },
};
