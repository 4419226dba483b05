-- The stock engine and its feeds.
--
-- Hot tables carry no foreign keys: SKUs, nodes and channels are never deleted, and their keys are resolved before a command
-- reaches the engine. Where several columns must not be negative, one CHECK says so for all of them, because PostgreSQL reads
-- a table's checks from their stored text for every statement that writes to it. What is written once and read whole is json,
-- kept as it was told.


-- What is read of the catalogue ---------------------------------------------------------------------------------------

-- Only these views name its tables, which are in a schema of their own. Where the catalogue moves out, they become tables that
-- its facts fill, and nothing else changes here. A view reads with the rights of its owner: the app's role needs none over there.

-- Changes whenever one of the other rules has changed. Whoever decides by remembered rules compares it in the statement that
-- writes the decision.
CREATE VIEW rules_epoch AS SELECT epoch FROM catalog.catalog_epoch;

-- Codes never change.
CREATE VIEW sku_code AS SELECT sku_key, code FROM catalog.sku;
CREATE VIEW rules_node AS SELECT node_key, code, type, lat, lng, active_from, active_to FROM catalog.node;
-- Null is all of them, and an empty list none.
CREATE VIEW rules_channel AS SELECT channel_key, code, node_types, nodes FROM catalog.channel;
CREATE VIEW rules_threshold AS SELECT scope, channel_key, node_key, sku_key, quantity FROM catalog.threshold WHERE quantity > 0;
-- Those that were lifted are not in it; those that are over by the clock are.
CREATE VIEW rules_fence AS SELECT fence_key, code, skus, nodes, channels, quantity, share_percent, until FROM catalog.fence
 WHERE coalesce(quantity, share_percent) > 0;
-- What may be promised beyond what is there. Null nodes are any, under one cap; SKUs that are listed come before all of them.
CREATE VIEW rules_allowance AS SELECT skus, nodes, cap FROM catalog.allowance;
-- Null is every node, and every reason.
CREATE VIEW rules_receipt AS SELECT to_state, nodes, reasons, inspect_within_hours FROM catalog.receipt_policy WHERE to_state <> 'none';
CREATE VIEW rules_stop AS SELECT nodes, channels, mode, until FROM catalog.stop_rule WHERE mode <> 'none';


-- Units ---------------------------------------------------------------------------------------------------------------

-- One gate per SKU: whoever holds its row lock is the only writer of that SKU's supply. Narrow and roomy, so that every step
-- of the version is a HOT update.
CREATE TABLE sku_gate (
  sku_key integer PRIMARY KEY,
  version bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50);

-- Who tells of stock, by name, or by itself under the empty name. `deducts_at` is the stage from which on its counts of availability
-- leave out promised units (1 accepted, 2 picked, 3 shipped).
CREATE TABLE source (
  source_key integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  principal text NOT NULL,
  name text NOT NULL,
  deducts_at smallint NOT NULL DEFAULT 1 CHECK (deducts_at IN (1, 2, 3)),
  UNIQUE (principal, name)
);

-- What the engine does by itself.
INSERT INTO source (source_key, principal, name) OVERRIDING SYSTEM VALUE VALUES (0, 'onepool', '');

-- Rows of the book: what a SKU has at a node (kind 0), what is on its way there (1), what may be promised beyond it (2). A row has a
-- key of its own, so that lots or owners may tell rows apart one day (`detail_key`, 0 where nothing does). Requests name at most a
-- million units a line, but nothing bounds how many of them meet in one row: therefore bigint.
CREATE TABLE supply (
  supply_key bigint PRIMARY KEY,
  detail_key bigint NOT NULL DEFAULT 0,
  sku_key integer NOT NULL,
  node_key integer NOT NULL,
  available bigint NOT NULL DEFAULT 0,
  committed bigint NOT NULL DEFAULT 0,
  reserved bigint NOT NULL DEFAULT 0,
  safety_stock bigint NOT NULL DEFAULT 0,
  damaged bigint NOT NULL DEFAULT 0,
  quality_control bigint NOT NULL DEFAULT 0,
  shortfall bigint NOT NULL DEFAULT 0,
  overdrawn bigint NOT NULL DEFAULT 0,
  unapplied bigint NOT NULL DEFAULT 0,
  kind smallint NOT NULL DEFAULT 0,
  UNIQUE (sku_key, node_key, kind, detail_key),
  CONSTRAINT lawful_units CHECK (
    least(available, committed, reserved, safety_stock, damaged, quality_control, shortfall, overdrawn, unapplied) >= 0
    AND shortfall <= committed + reserved
    AND (shortfall = 0 OR available + safety_stock + unapplied = 0)
    AND (overdrawn = 0 OR available + committed + reserved + safety_stock + damaged + quality_control + unapplied = shortfall)
    AND kind IN (0, 1, 2)
    AND (kind = 0 OR safety_stock + unapplied + overdrawn = 0)
    AND (kind <> 2 OR available + shortfall + damaged + quality_control = 0))
) WITH (fillfactor = 70);

CREATE SEQUENCE supply_key;

-- What is there, a row for each SKU and node.
CREATE VIEW stock AS
  SELECT *, on_hand + unapplied - overdrawn AS net
    FROM (SELECT supply_key, sku_key, node_key, available, committed, reserved, safety_stock, damaged, quality_control, shortfall, overdrawn,
                 unapplied, available + committed + reserved + safety_stock + damaged + quality_control - shortfall AS on_hand
            FROM supply WHERE kind = 0 AND detail_key = 0) s;

-- Rows with a shortfall are few, and looked for beside every count.
CREATE INDEX supply_short ON supply (sku_key) WHERE shortfall > 0;
-- Rows of what is to come. `kind` never changes, so holds stay HOT; what a hold changes must never be in a predicate.
CREATE INDEX supply_future ON supply (sku_key) WHERE kind <> 0;

-- Units of a SKU and node that are charged to a fence: the sum of what its backings there say.
CREATE TABLE fence_use (
  sku_key integer NOT NULL,
  node_key integer NOT NULL,
  fence_key integer NOT NULL,
  used bigint NOT NULL CHECK (used >= 0),
  PRIMARY KEY (sku_key, node_key, fence_key)
) WITH (fillfactor = 70);

-- Stops that name a SKU. 0 is any node, and any channel.
CREATE TABLE sku_stop (
  sku_key integer NOT NULL,
  node_key integer NOT NULL DEFAULT 0,
  channel_key integer NOT NULL DEFAULT 0,
  drains boolean NOT NULL,
  since timestamptz NOT NULL,
  until timestamptz,
  PRIMARY KEY (sku_key, node_key, channel_key)
);
CREATE INDEX sku_stop_until ON sku_stop (until) WHERE until IS NOT NULL;

-- What brings units: a receipt that was announced (kind 0), or a transfer (1), under the id that its teller has given it. Written once;
-- how far it has come is what its lines say.
CREATE TABLE inbound (
  inbound_key bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  kind smallint NOT NULL CHECK (kind IN (0, 1)),
  actor text NOT NULL,
  id text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  UNIQUE (actor, id)
);

-- A line of it, for one SKU and the node where it arrives. `detail_key` names its row of the book, of kind 1. Which lines there are is
-- written before anything is decided; all else under the gate of its SKU: units that were announced in all, that have arrived, that
-- are given up on, and whether the line is still loaded with its SKU. One that is closed and whose row is empty is not. Of a transfer
-- also the node that it leaves, and the key of its row: it gets the same one if it is shipped after it was done with.
-- `is_late`: its due time has passed, and what follows from that has been done.
CREATE TABLE inbound_line (
  detail_key bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  inbound_key bigint NOT NULL,
  line text NOT NULL,
  sku_key integer NOT NULL,
  node_key integer NOT NULL,
  kind smallint NOT NULL,
  is_open boolean NOT NULL DEFAULT false,
  is_late boolean NOT NULL DEFAULT false,
  expected bigint NOT NULL DEFAULT 0,
  received bigint NOT NULL DEFAULT 0,
  lost bigint NOT NULL DEFAULT 0,
  from_node integer,
  supply_key bigint,
  due_at timestamptz,
  closed_at timestamptz,
  UNIQUE (inbound_key, line),
  CHECK (least(expected, received, lost) >= 0)
);

CREATE INDEX inbound_line_sku ON inbound_line (sku_key) WHERE is_open;
CREATE INDEX inbound_line_due ON inbound_line (due_at) WHERE is_open AND NOT is_late AND due_at IS NOT NULL;


-- Units in quality control that wait for approval: of a line of a receipt (origin 0), of a node that refused units and doubts the
-- others (1), taken there by a movement (2), or found there by a count (3), as `actor` told in the `line`-th part of `command_id`. Written under the gate of its
-- SKU. The row of the book may have fewer such units than are open, since some were owed or left otherwise, and never has more:
-- what was judged and is not there is `missing`.
CREATE TABLE inspection (
  inspection_key bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  sku_key integer NOT NULL,
  node_key integer NOT NULL,
  origin smallint NOT NULL CHECK (origin IN (0, 1, 2, 3)),
  actor text NOT NULL,
  command_id text NOT NULL,
  line integer,
  detail_key bigint,
  reservation_key bigint,
  fulfilment text,
  reason text NOT NULL,
  quantity bigint NOT NULL,
  open bigint NOT NULL,
  approved bigint NOT NULL DEFAULT 0,
  rejected bigint NOT NULL DEFAULT 0,
  missing bigint NOT NULL DEFAULT 0,
  opened_at timestamptz NOT NULL,
  due_at timestamptz NOT NULL,
  closed_at timestamptz,
  CHECK (least(open, approved, rejected, missing) >= 0 AND quantity > 0 AND open + approved + rejected + missing = quantity)
);

CREATE INDEX inspection_sku ON inspection (sku_key, inspection_key);
CREATE INDEX inspection_node ON inspection (node_key, inspection_key);
CREATE INDEX inspection_open ON inspection (inspection_key) WHERE open > 0;
CREATE INDEX inspection_due ON inspection (due_at) WHERE open > 0;
CREATE INDEX inspection_closed_at ON inspection (closed_at) WHERE closed_at IS NOT NULL;


-- Promises ------------------------------------------------------------------------------------------------------------

-- (owner, id) names a reservation, and is the idempotency key of its hold. `lines` is what was asked and first answered; it
-- never changes; `amended` is what lines have become since, and new ones. `first_channel_key` is the channel that it was held for,
-- where another sells it now. `actor` is who held it, where that was not the owner; `person`, the person that did, or for whom it was
-- done. Since an order is attached, only the controller's actor may act on it. A destination is kept in tenths of a degree. Of a
-- reservation that was undone before it was made, there is only `tombstone_by`, who undid it, and no line.
CREATE TABLE reservation (
  reservation_key bigint PRIMARY KEY,
  owner text NOT NULL,
  id text NOT NULL,
  body_hash bytea NOT NULL,
  channel_key integer NOT NULL,
  version integer NOT NULL,
  created_at timestamptz NOT NULL,
  first_expires_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  lines json NOT NULL,
  amended json,
  actor text,
  person text,
  customer_reference text,
  controller_actor text,
  controller_order text,
  tombstone_by text,
  ordered_at timestamptz,
  first_channel_key integer,
  priority smallint,
  destination_lat smallint,
  destination_lng smallint,
  UNIQUE (owner, id)
) WITH (fillfactor = 85);

-- An order has one reservation.
CREATE TABLE controller (
  actor text NOT NULL,
  order_id text NOT NULL,
  reservation_key bigint NOT NULL,
  PRIMARY KEY (actor, order_id)
);

-- Replicas take keys of reservations from it by the block.
CREATE SEQUENCE reservation_block;

-- Units of a line that stand on one row of the book (or on none: `supply_key` null), for one fulfilment or none. With its
-- reservation's key, `backing_no` names it for ever; it is never deleted. `line` is the place of the line among the reservation's.
-- `accepted`, `picked` and `shipped` say how many of the open units a node has told to be past that stage; null is none, all three.
-- A long CHECK is dear: PostgreSQL reads it anew for each statement.
-- `wait_rank` says who is served first of those whose units have not come yet (kind 1 and 2): by priority, then by age; lower is first.
-- `expires_at` of what is not held is infinity, so that looking for overdue units never meets old confirmed ones.
CREATE TABLE backing (
  reservation_key bigint NOT NULL,
  supply_key bigint,
  expires_at timestamptz NOT NULL,
  sku_key integer NOT NULL,
  node_key integer NOT NULL,
  backing_no smallint NOT NULL,
  line smallint NOT NULL,
  kind smallint NOT NULL DEFAULT 0,
  held integer NOT NULL,
  confirmed integer NOT NULL,
  fulfilled integer NOT NULL,
  released integer NOT NULL,
  expired integer NOT NULL,
  cancelled integer NOT NULL,
  broken integer NOT NULL,
  fulfilment text,
  accepted integer,
  picked integer,
  shipped integer,
  fence_key integer,
  fenced integer,
  detail_key bigint,
  wait_rank bigint,
  UNIQUE NULLS NOT DISTINCT (reservation_key, supply_key, line, fulfilment),
  CONSTRAINT lawful_backing CHECK (
    least(held, confirmed, fulfilled, released, expired, cancelled, broken, shipped, picked - shipped, accepted - picked,
      held + confirmed - accepted) >= 0
    AND num_nulls(accepted, picked, shipped) % 3 = 0)
) WITH (fillfactor = 85);

-- Serves both expiry (overdue first) and looks for promises of a SKU that may move; closed backings leave it.
CREATE INDEX backing_open ON backing (sku_key, expires_at) WHERE held + confirmed > 0;
CREATE INDEX backing_expiry ON backing (expires_at) WHERE held > 0;
CREATE INDEX backing_waiting ON backing (sku_key, wait_rank) WHERE kind <> 0 AND held + confirmed > 0;
CREATE INDEX backing_fulfilment ON backing (fulfilment) WHERE fulfilment IS NOT NULL;

-- What nodes have told of how far they have come with units, signed: units that end or move away leave their stages. With the open
-- units of now it says how many were past a stage at any moment before.
CREATE TABLE stage_entry (
  sku_key integer NOT NULL,
  reservation_version integer NOT NULL,
  reservation_key bigint NOT NULL,
  supply_key bigint NOT NULL,
  occurred_at timestamptz NOT NULL,
  recorded_at timestamptz NOT NULL,
  units integer NOT NULL,
  backing_no smallint NOT NULL,
  stage smallint NOT NULL,
  PRIMARY KEY (reservation_key, reservation_version, backing_no, stage, recorded_at),
  CHECK (units <> 0 AND occurred_at <= recorded_at)
) PARTITION BY RANGE (recorded_at);

CREATE INDEX stage_entry_since ON stage_entry (sku_key, occurred_at);

CREATE TABLE stage_entry_default PARTITION OF stage_entry DEFAULT;


-- The book ------------------------------------------------------------------------------------------------------------

-- A partition for each month, so that sums since a count read only the months since then: what is recorded has happened. Units of
-- one step of a SKU's version are unique by its gate, under whose lock they are written, since the key of a partitioned table has
-- to name the time.
CREATE TABLE ledger (
  sku_key integer NOT NULL,
  ordinal integer NOT NULL,
  sku_version bigint NOT NULL,
  supply_key bigint NOT NULL,
  quantity bigint NOT NULL,
  occurred_at timestamptz NOT NULL,
  recorded_at timestamptz NOT NULL,
  node_key integer NOT NULL,
  source_key integer NOT NULL,
  from_state smallint NOT NULL,
  to_state smallint NOT NULL,
  reason text NOT NULL,
  source_event_id text,
  PRIMARY KEY (sku_key, sku_version, ordinal, recorded_at),
  CHECK (quantity > 0 AND occurred_at <= recorded_at)
) PARTITION BY RANGE (recorded_at);

-- What happened after a count. Holds and confirmations are not in it.
-- Units that came or went, or that became damaged or kept for inspection, or were so no longer.
CREATE INDEX ledger_events ON ledger (sku_key, occurred_at) WHERE from_state IN (0, 6, 7) OR to_state IN (0, 6, 7);

CREATE FUNCTION ledger_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the ledger is append-only';
END
$$;

-- A statement may also name a partition: `make_partitions` gives those that it makes the same guard.
CREATE TRIGGER ledger_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger
  FOR EACH STATEMENT EXECUTE FUNCTION ledger_is_append_only();

CREATE TABLE ledger_default PARTITION OF ledger DEFAULT;
CREATE TRIGGER ledger_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_default
  FOR EACH STATEMENT EXECUTE FUNCTION ledger_is_append_only();

-- What a source told although the row's newest count had already seen it, or that of one of its states. It changed nothing there, and
-- is kept so that somebody can be told why.
CREATE TABLE late_note (
  sku_key integer NOT NULL,
  node_key integer NOT NULL,
  kind text NOT NULL,
  state text,
  quantity bigint NOT NULL,
  source_key integer NOT NULL,
  source_event_id text,
  occurred_at timestamptz NOT NULL,
  counted_at timestamptz NOT NULL,
  counted_by text NOT NULL,
  recorded_at timestamptz NOT NULL
) PARTITION BY RANGE (recorded_at);

CREATE INDEX late_note_row ON late_note (sku_key, recorded_at);

CREATE TABLE late_note_default PARTITION OF late_note DEFAULT;

INSERT INTO partitioned_table (name, step) VALUES ('ledger', 'month'), ('stage_entry', 'month'), ('late_note', 'day');
SELECT make_partitions(14, 1000);


-- Commands, tasks and exceptions --------------------------------------------------------------------------------------

-- Effects of commands other than holds, with the answer that a replay gets, and the person that gave the first of them or for
-- whom it was given. A command with several groups takes effect group by group (`group_no` from 1); its row 0 has no answer, and
-- says only which body the id stands for. All others have that row alone.
CREATE TABLE command (
  actor text NOT NULL,
  id text NOT NULL,
  group_no smallint NOT NULL DEFAULT 0,
  body_hash bytea NOT NULL,
  answer json,
  recorded_at timestamptz NOT NULL,
  person text,
  PRIMARY KEY (actor, id, group_no)
);

-- Old effects are forgotten in order of age.
CREATE INDEX command_recorded_at ON command (recorded_at);

-- Events of sources that took effect, once per source and id, ever; with who told them: a command, or a feed.
CREATE TABLE source_event (
  source_key integer NOT NULL,
  event_id text NOT NULL,
  actor text,
  command_id text,
  feed_key bigint,
  recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (source_key, event_id)
);

-- One physical event told by several: how many units of a fulfilment's SKU each source has told in all, and what became of them.
-- `what` is 0 for hand-overs and shipments.
CREATE TABLE told (
  what smallint NOT NULL,
  reservation_key bigint NOT NULL,
  subject text NOT NULL,
  sku_key integer NOT NULL,
  source_key integer NOT NULL,
  total bigint NOT NULL,
  PRIMARY KEY (what, reservation_key, subject, sku_key, source_key)
);

CREATE TABLE told_effect (
  what smallint NOT NULL,
  reservation_key bigint NOT NULL,
  subject text NOT NULL,
  sku_key integer NOT NULL,
  effect bigint NOT NULL,
  plain bigint NOT NULL,
  undone bigint NOT NULL,
  PRIMARY KEY (what, reservation_key, subject, sku_key),
  CHECK (least(effect, plain, undone) >= 0)
);

-- SKUs that should be looked at from `due_at` on: promises are short or were, units are there for those who wait, or a line is late. A look that could move none of
-- its thousand reservations goes on below `before_key`, and one that has looked at a page of those who wait, after the last of them.
-- `offers`: how many more times all who wait are offered what is for sale, since others may have it than before.
CREATE TABLE sku_task (
  sku_key integer PRIMARY KEY,
  due_at timestamptz NOT NULL,
  before_key bigint,
  after_rank bigint,
  after_reservation bigint,
  offers smallint NOT NULL DEFAULT 0
);

-- SKUs of which promises may stand where they may no longer stay, likewise.
CREATE TABLE drain_task (
  sku_key integer PRIMARY KEY,
  due_at timestamptz NOT NULL,
  before_key bigint
);

-- One row: nodes by the keys of channels whose promises may not stay there, for which all SKUs have been looked through.
CREATE TABLE drain_search (
  singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
  barred json NOT NULL DEFAULT '{}',
  lease_until timestamptz NOT NULL DEFAULT '-infinity'
);

INSERT INTO drain_search DEFAULT VALUES;

-- One row: the rules since which SKUs are looked through for those who wait and may be served, up to which SKU that was done (null:
-- nobody is looked for), behind which SKU it began with these rules, whether it has begun from the front since, whether another round
-- follows; from when on somebody goes on with it, and until when somebody is at it.
CREATE TABLE wait_search (
  singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
  rules text NOT NULL DEFAULT '',
  after_key integer,
  begun_after integer NOT NULL DEFAULT 0,
  has_turned boolean NOT NULL DEFAULT false,
  again boolean NOT NULL DEFAULT false,
  due_at timestamptz NOT NULL DEFAULT '-infinity',
  lease_until timestamptz NOT NULL DEFAULT '-infinity'
);

INSERT INTO wait_search DEFAULT VALUES;

-- What a person, or the order that decides, must look at. `subject` names what it is about, by keys: `stock/<sku>/<node>`, or
-- `inbound/<detail>`; of each there is at most one open exception of a code. `refs` keeps which promises have been told, and which line of
-- which receipt it is. From `due_at` on the engine gives up promises about which nobody has decided.
CREATE TABLE stock_exception (
  exception_key bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  code text NOT NULL,
  subject text NOT NULL,
  sku_key integer,
  node_key integer,
  supply_key bigint,
  quantity bigint CHECK (quantity >= 0),
  refs json,
  due_at timestamptz,
  opened_at timestamptz NOT NULL,
  closed_at timestamptz
);

CREATE UNIQUE INDEX stock_exception_open ON stock_exception (code, subject) WHERE closed_at IS NULL;
CREATE INDEX stock_exception_due ON stock_exception (due_at) WHERE closed_at IS NULL AND due_at IS NOT NULL;
CREATE INDEX stock_exception_sku ON stock_exception (sku_key) WHERE closed_at IS NULL;
CREATE INDEX stock_exception_closed_at ON stock_exception (closed_at) WHERE closed_at IS NOT NULL;


-- Feeds ---------------------------------------------------------------------------------------------------------------

-- (actor, id) is the idempotency key; `person` sent it, or had it sent. `cursor` is the last SKU key (of a delta: line) whose rows are settled.
-- `states` are those (as in feed_watermark.measure) of which a full count names every unit; `has_states` says that some rows speak of one.
-- `touched_at` is when a piece of it last came. `scope` are the nodes of a full count. Who let a waiting feed pass, or did not, is kept as it is with commands: principal and person.
-- `body_hash` (SHA-256) and `body_size` (bytes) are of the body, uncompressed, that was received whole.
CREATE TABLE feed (
  feed_key bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  actor text NOT NULL,
  person text,
  id text NOT NULL,
  parameters_hash bytea NOT NULL,
  body_hash bytea,
  body_size bigint,
  source text NOT NULL,
  source_key integer NOT NULL,
  deducts_at smallint NOT NULL,
  mode text NOT NULL CHECK (mode IN ('reset', 'delta')),
  measure text NOT NULL CHECK (measure IN ('physical', 'availability')),
  completeness text NOT NULL CHECK (completeness IN ('partial', 'full')),
  captured_at timestamptz NOT NULL,
  node_key integer,
  duplicates text NOT NULL CHECK (duplicates IN ('refuse', 'sum')),
  max_zeroed_percent smallint,
  dry_run boolean NOT NULL,
  state text NOT NULL CHECK (
    state IN ('receiving', 'applying', 'waiting', 'done', 'failed', 'rejected', 'replaced', 'dry_run')),
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
  has_states boolean NOT NULL DEFAULT false,
  states smallint[] NOT NULL DEFAULT '{}',
  failure text,
  scope integer[],
  waits_for text[] NOT NULL DEFAULT '{}',
  outlook json,
  verdict text CHECK (verdict IN ('approved', 'rejected')),
  decided_by text,
  decided_person text,
  decided_at timestamptz,
  trace text,
  started_at timestamptz NOT NULL,
  staged_at timestamptz,
  finished_at timestamptz,
  touched_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  lease_until timestamptz NOT NULL DEFAULT '-infinity',
  UNIQUE (actor, id)
) WITH (fillfactor = 50);

CREATE INDEX feed_to_apply ON feed (feed_key) WHERE state = 'applying';
-- What ended, and exceptions that are closed, are forgotten in order of age.
CREATE INDEX feed_finished_at ON feed (finished_at);
CREATE INDEX feed_receiving ON feed (touched_at) WHERE state = 'receiving';
CREATE INDEX feed_waiting ON feed (feed_key) WHERE state = 'waiting';

-- Also notes about rows that were not refused (`quantity.negative`); `quantity` is what such a row told.
CREATE TABLE feed_refusal (
  feed_key bigint NOT NULL,
  refusal_key bigint GENERATED ALWAYS AS IDENTITY,
  line bigint NOT NULL,
  code text NOT NULL,
  message text NOT NULL,
  quantity bigint,
  PRIMARY KEY (feed_key, refusal_key)
);

-- Up to which capture time a source has counted, for a block of SKUs at a node. `measure` is 0 for a physical count; of a count of
-- availability, the stage from which on its source left out promised units then (1 to 3); 4 and 5 are counts of what is damaged, and of
-- what is in quality control.
CREATE TABLE feed_watermark (
  block integer NOT NULL,
  node_key integer NOT NULL,
  source_key integer NOT NULL,
  measure smallint NOT NULL,
  captured bigint[] NOT NULL,
  PRIMARY KEY (block, node_key, source_key, measure)
) WITH (fillfactor = 70);


-- Staging tables of feeds ---------------------------------------------------------------------------------------------

-- They are made and dropped while the app runs, by functions that do so with their owner's rights, because the app's role
-- makes no tables (ADR 0015). What callers give is a feed's key and attempt, from which the table's name follows, and never
-- any text that becomes SQL.

-- What staging tables are made like; always empty itself. `state` is that of which a row speaks, as in feed_watermark.measure. Whoever may fill it may fill those made like it.
CREATE TABLE feed_stage (
  line bigint NOT NULL,
  sku_key integer NOT NULL,
  node_key integer NOT NULL,
  quantity integer,
  at_ms bigint NOT NULL,
  record_id text,
  state smallint
);

-- Logged, not unlogged: once the upload is answered, its rows must survive a crash of the server.
CREATE FUNCTION create_feed_stage(feed_key bigint, attempt integer) RETURNS void LANGUAGE plpgsql
  SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
  stage text := format('feed_stage_%s_%s', feed_key, attempt);
  heir record;
BEGIN
  EXECUTE format('CREATE TABLE %I.%I (LIKE feed_stage) WITH (autovacuum_enabled = false)', current_schema(), stage);
  FOR heir IN
    SELECT CASE grantee WHEN 0 THEN 'PUBLIC' ELSE grantee::regrole::text END AS role, string_agg(privilege_type, ', ') AS rights
      FROM pg_class, aclexplode(relacl) WHERE oid = 'feed_stage'::regclass AND grantee <> relowner GROUP BY 1
  LOOP
    EXECUTE format('GRANT %s ON %I.%I TO %s', heir.rights, current_schema(), stage, heir.role);
  END LOOP;
END
$$;

-- `unique_by` names what may come once only in a feed.
CREATE FUNCTION index_feed_stage(feed_key bigint, attempt integer, unique_by text) RETURNS void LANGUAGE plpgsql
  SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
  stage text := format('feed_stage_%s_%s', feed_key, attempt);
  key text := CASE unique_by WHEN 'record' THEN '(record_id)' WHEN 'row' THEN '(sku_key, node_key)' WHEN 'line' THEN '(line)'
    WHEN 'state' THEN '(sku_key, node_key, state) NULLS NOT DISTINCT' END;
BEGIN
  IF key IS NULL THEN RAISE EXCEPTION 'a feed has no key %', unique_by; END IF;
  EXECUTE format('CREATE UNIQUE INDEX ON %I.%I %s', current_schema(), stage, key);
END
$$;

CREATE FUNCTION analyze_feed_stage(feed_key bigint, attempt integer) RETURNS void LANGUAGE plpgsql
  SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
  EXECUTE format('ANALYZE %I.%I', current_schema(), format('feed_stage_%s_%s', feed_key, attempt));
END
$$;

CREATE FUNCTION drop_feed_stage(feed_key bigint, attempt integer) RETURNS void LANGUAGE plpgsql
  SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
  EXECUTE format('DROP TABLE IF EXISTS %I.%I', current_schema(), format('feed_stage_%s_%s', feed_key, attempt));
END
$$;
