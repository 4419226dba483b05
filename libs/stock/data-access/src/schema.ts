import { combineRights } from '@onepool/platform-postgres';
import { feedRights } from './feeds/feed-schema.ts';
import { stageRights } from './feeds/stage-schema.ts';

/**
 * Tables of the stock engine, in the app's own schema. Hot tables carry no foreign keys: SKUs, nodes and channels are
 * never deleted, and their keys are resolved before a command reaches the engine.
 */
export const stockSchemaSql: readonly string[] = [
  // One gate per SKU: whoever holds its row lock is the only writer of that SKU's supply. Narrow and roomy, so that
  // every version step is a HOT update.
  `CREATE TABLE sku_gate (
     sku_key integer PRIMARY KEY,
     version bigint NOT NULL DEFAULT 0
   ) WITH (fillfactor = 50)`,
  // Requests name at most a million units a line, but nothing bounds how many of them meet in one row.
  `CREATE TABLE stock (
     sku_key integer NOT NULL,
     node_key integer NOT NULL,
     available bigint NOT NULL DEFAULT 0 CHECK (available >= 0),
     committed bigint NOT NULL DEFAULT 0 CHECK (committed >= 0),
     reserved bigint NOT NULL DEFAULT 0 CHECK (reserved >= 0),
     safety_stock bigint NOT NULL DEFAULT 0 CHECK (safety_stock >= 0),
     damaged bigint NOT NULL DEFAULT 0 CHECK (damaged >= 0),
     quality_control bigint NOT NULL DEFAULT 0 CHECK (quality_control >= 0),
     shortfall bigint NOT NULL DEFAULT 0 CHECK (shortfall >= 0),
     overdrawn bigint NOT NULL DEFAULT 0 CHECK (overdrawn >= 0),
     on_hand bigint GENERATED ALWAYS AS
       (available + committed + reserved + safety_stock + damaged + quality_control - shortfall) STORED,
     PRIMARY KEY (sku_key, node_key),
     CONSTRAINT shortfall_within_promised CHECK (shortfall <= committed + reserved),
     CONSTRAINT shortfall_leaves_nothing_free CHECK (shortfall = 0 OR (available = 0 AND safety_stock = 0)),
     CONSTRAINT overdrawn_leaves_nothing_on_hand CHECK (
       overdrawn = 0 OR available + committed + reserved + safety_stock + damaged + quality_control - shortfall = 0)
   ) WITH (fillfactor = 70)`,
  // (client, id) is the idempotency key of a hold. `lines` is what was asked and first answered; it never changes.
  `CREATE TABLE reservation (
     reservation_key bigint PRIMARY KEY,
     client text NOT NULL,
     id text NOT NULL,
     body_hash bytea NOT NULL,
     channel_key integer NOT NULL,
     version integer NOT NULL,
     created_at timestamptz NOT NULL,
     first_expires_at timestamptz NOT NULL,
     expires_at timestamptz NOT NULL,
     nodes integer[],
     lines jsonb NOT NULL,
     UNIQUE (client, id)
   ) WITH (fillfactor = 85)`,
  `CREATE SEQUENCE reservation_block`,
  `CREATE TABLE backing (
     reservation_key bigint NOT NULL,
     sku_key integer NOT NULL,
     node_key integer NOT NULL,
     kind smallint NOT NULL DEFAULT 0 CHECK (kind IN (0, 1, 2)),
     held integer NOT NULL CHECK (held >= 0),
     confirmed integer NOT NULL CHECK (confirmed >= 0),
     fulfilled integer NOT NULL CHECK (fulfilled >= 0),
     released integer NOT NULL CHECK (released >= 0),
     expired integer NOT NULL CHECK (expired >= 0),
     cancelled integer NOT NULL CHECK (cancelled >= 0),
     expires_at timestamptz NOT NULL,
     pin_fulfilment text,
     pin_order_version integer,
     PRIMARY KEY (reservation_key, sku_key, node_key, kind)
   ) WITH (fillfactor = 85)`,
  // `expires_at` of what is not held is infinity, so that looking for overdue units never meets old confirmed ones.
  // Serves both expiry (overdue first) and re-backing (everything open of a SKU); closed backings leave it.
  `CREATE INDEX backing_open ON backing (sku_key, expires_at) WHERE held + confirmed > 0`,
  `CREATE INDEX backing_expiry ON backing (expires_at) WHERE held > 0`,
  `CREATE TABLE ledger (
     sku_key integer NOT NULL,
     sku_version bigint NOT NULL,
     ordinal integer NOT NULL,
     node_key integer NOT NULL,
     from_state smallint NOT NULL,
     to_state smallint NOT NULL,
     quantity integer NOT NULL CHECK (quantity > 0),
     reason text NOT NULL,
     source text NOT NULL,
     source_event_id text,
     occurred_at timestamptz NOT NULL,
     recorded_at timestamptz NOT NULL,
     PRIMARY KEY (sku_key, sku_version, ordinal)
   )`,
  `CREATE FUNCTION ledger_is_append_only() RETURNS trigger LANGUAGE plpgsql AS
     $$ BEGIN RAISE EXCEPTION 'the ledger is append-only'; END $$`,
  `CREATE TRIGGER ledger_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger
     FOR EACH STATEMENT EXECUTE FUNCTION ledger_is_append_only()`,
  // Effects of commands other than holds, with the answer that a replay gets.
  `CREATE TABLE command (
     client text NOT NULL,
     id text NOT NULL,
     body_hash bytea NOT NULL,
     answer jsonb NOT NULL,
     recorded_at timestamptz NOT NULL,
     PRIMARY KEY (client, id)
   )`,
  // SKUs with a shortfall that should be looked at from `due_at` on.
  // A look that could move none of its thousand reservations goes on below `before_key`.
  `CREATE TABLE reback_task (
     sku_key integer PRIMARY KEY,
     due_at timestamptz NOT NULL,
     before_key bigint
   )`,
  `CREATE TABLE stock_exception (
     exception_key bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
     code text NOT NULL,
     sku_key integer NOT NULL,
     node_key integer NOT NULL,
     quantity bigint NOT NULL CHECK (quantity >= 0),
     opened_at timestamptz NOT NULL,
     closed_at timestamptz
   )`,
  `CREATE UNIQUE INDEX stock_exception_open ON stock_exception (code, sku_key, node_key) WHERE closed_at IS NULL`,
];

/** What the engine needs of its tables. Of the ledger nothing is changed or taken away. */
export const stockRights = combineRights(feedRights, stageRights, {
  tables: {
    sku_gate: ['SELECT', 'INSERT', 'UPDATE'],
    stock: ['SELECT', 'INSERT', 'UPDATE'],
    reservation: ['SELECT', 'INSERT', 'UPDATE'],
    backing: ['SELECT', 'INSERT', 'UPDATE'],
    ledger: ['SELECT', 'INSERT'],
    command: ['SELECT', 'INSERT', 'DELETE'],
    reback_task: ['SELECT', 'INSERT', 'UPDATE', 'DELETE'],
    stock_exception: ['SELECT', 'INSERT', 'UPDATE'],
  },
  sequences: { reservation_block: ['USAGE'] },
});
