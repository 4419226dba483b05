-- What the migrations add up to, to be read, not run. Written by `npm run onepool -- schema write`.

CREATE SCHEMA availability;

CREATE SEQUENCE reservation_block AS bigint INCREMENT BY 1 CACHE 1;

CREATE SEQUENCE supply_key AS bigint INCREMENT BY 1 CACHE 1;

CREATE TABLE backing (
  reservation_key bigint NOT NULL,
  supply_key bigint,
  expires_at timestamp with time zone NOT NULL,
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
  CONSTRAINT backing_reservation_key_supply_key_line_fulfilment_key UNIQUE NULLS NOT DISTINCT (reservation_key, supply_key, line, fulfilment),
  CONSTRAINT lawful_backing CHECK (LEAST(held, confirmed, fulfilled, released, expired, cancelled, broken, shipped, picked - shipped, accepted - picked, held + confirmed - accepted) >= 0 AND (num_nulls(accepted, picked, shipped) % 3) = 0)
) WITH (fillfactor=85);
CREATE INDEX backing_expiry ON backing USING btree (expires_at) WHERE held > 0;
CREATE INDEX backing_fulfilment ON backing USING btree (fulfilment) WHERE fulfilment IS NOT NULL;
CREATE INDEX backing_open ON backing USING btree (sku_key, expires_at) WHERE (held + confirmed) > 0;
CREATE INDEX backing_waiting ON backing USING btree (sku_key, wait_rank) WHERE kind <> 0 AND (held + confirmed) > 0;

CREATE TABLE command (
  actor text NOT NULL,
  id text NOT NULL,
  group_no smallint NOT NULL DEFAULT 0,
  body_hash bytea NOT NULL,
  answer json,
  recorded_at timestamp with time zone NOT NULL,
  person text,
  CONSTRAINT command_pkey PRIMARY KEY (actor, id, group_no)
);
CREATE INDEX command_recorded_at ON command USING btree (recorded_at);

CREATE TABLE controller (
  actor text NOT NULL,
  order_id text NOT NULL,
  reservation_key bigint NOT NULL,
  CONSTRAINT controller_pkey PRIMARY KEY (actor, order_id)
);

CREATE TABLE drain_search (
  singleton boolean NOT NULL DEFAULT true,
  barred json NOT NULL DEFAULT '{}'::json,
  lease_until timestamp with time zone NOT NULL DEFAULT '-infinity'::timestamp with time zone,
  CONSTRAINT drain_search_pkey PRIMARY KEY (singleton),
  CONSTRAINT drain_search_singleton_check CHECK (singleton)
);

CREATE TABLE drain_task (
  sku_key integer NOT NULL,
  due_at timestamp with time zone NOT NULL,
  before_key bigint,
  CONSTRAINT drain_task_pkey PRIMARY KEY (sku_key)
);

CREATE TABLE feed (
  feed_key bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
  actor text NOT NULL,
  person text,
  id text NOT NULL,
  parameters_hash bytea NOT NULL,
  body_hash bytea,
  body_size bigint,
  source text NOT NULL,
  source_key integer NOT NULL,
  deducts_at smallint NOT NULL,
  mode text NOT NULL,
  measure text NOT NULL,
  completeness text NOT NULL,
  captured_at timestamp with time zone NOT NULL,
  node_key integer,
  duplicates text NOT NULL,
  max_zeroed_percent smallint,
  dry_run boolean NOT NULL,
  state text NOT NULL,
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
  states smallint[] NOT NULL DEFAULT '{}'::smallint[],
  failure text,
  scope integer[],
  waits_for text[] NOT NULL DEFAULT '{}'::text[],
  outlook json,
  verdict text,
  decided_by text,
  decided_person text,
  decided_at timestamp with time zone,
  trace text,
  started_at timestamp with time zone NOT NULL,
  staged_at timestamp with time zone,
  finished_at timestamp with time zone,
  touched_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
  lease_until timestamp with time zone NOT NULL DEFAULT '-infinity'::timestamp with time zone,
  CONSTRAINT feed_pkey PRIMARY KEY (feed_key),
  CONSTRAINT feed_actor_id_key UNIQUE (actor, id),
  CONSTRAINT feed_completeness_check CHECK (completeness = ANY (ARRAY['partial'::text, 'full'::text])),
  CONSTRAINT feed_duplicates_check CHECK (duplicates = ANY (ARRAY['refuse'::text, 'sum'::text])),
  CONSTRAINT feed_measure_check CHECK (measure = ANY (ARRAY['physical'::text, 'availability'::text])),
  CONSTRAINT feed_mode_check CHECK (mode = ANY (ARRAY['reset'::text, 'delta'::text])),
  CONSTRAINT feed_state_check CHECK (state = ANY (ARRAY['receiving'::text, 'applying'::text, 'waiting'::text, 'done'::text, 'failed'::text, 'rejected'::text, 'replaced'::text, 'dry_run'::text])),
  CONSTRAINT feed_verdict_check CHECK (verdict = ANY (ARRAY['approved'::text, 'rejected'::text]))
) WITH (fillfactor=50);
CREATE INDEX feed_finished_at ON feed USING btree (finished_at);
CREATE INDEX feed_receiving ON feed USING btree (touched_at) WHERE state = 'receiving'::text;
CREATE INDEX feed_to_apply ON feed USING btree (feed_key) WHERE state = 'applying'::text;
CREATE INDEX feed_waiting ON feed USING btree (feed_key) WHERE state = 'waiting'::text;

CREATE TABLE feed_refusal (
  feed_key bigint NOT NULL,
  refusal_key bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
  line bigint NOT NULL,
  code text NOT NULL,
  message text NOT NULL,
  quantity bigint,
  CONSTRAINT feed_refusal_pkey PRIMARY KEY (feed_key, refusal_key)
);

CREATE TABLE feed_stage (
  line bigint NOT NULL,
  sku_key integer NOT NULL,
  node_key integer NOT NULL,
  quantity integer,
  at_ms bigint NOT NULL,
  record_id text,
  state smallint
);

CREATE TABLE feed_watermark (
  block integer NOT NULL,
  node_key integer NOT NULL,
  source_key integer NOT NULL,
  measure smallint NOT NULL,
  captured bigint[] NOT NULL,
  CONSTRAINT feed_watermark_pkey PRIMARY KEY (block, node_key, source_key, measure)
) WITH (fillfactor=70);

CREATE TABLE fence_use (
  sku_key integer NOT NULL,
  node_key integer NOT NULL,
  fence_key integer NOT NULL,
  used bigint NOT NULL,
  CONSTRAINT fence_use_pkey PRIMARY KEY (sku_key, node_key, fence_key),
  CONSTRAINT fence_use_used_check CHECK (used >= 0)
) WITH (fillfactor=70);

CREATE TABLE inbound (
  inbound_key bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
  kind smallint NOT NULL,
  actor text NOT NULL,
  id text NOT NULL,
  created_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT inbound_pkey PRIMARY KEY (inbound_key),
  CONSTRAINT inbound_actor_id_key UNIQUE (actor, id),
  CONSTRAINT inbound_kind_check CHECK (kind = ANY (ARRAY[0, 1]))
);

CREATE TABLE inbound_line (
  detail_key bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
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
  due_at timestamp with time zone,
  closed_at timestamp with time zone,
  CONSTRAINT inbound_line_pkey PRIMARY KEY (detail_key),
  CONSTRAINT inbound_line_inbound_key_line_key UNIQUE (inbound_key, line),
  CONSTRAINT inbound_line_check CHECK (LEAST(expected, received, lost) >= 0)
);
CREATE INDEX inbound_line_due ON inbound_line USING btree (due_at) WHERE is_open AND NOT is_late AND due_at IS NOT NULL;
CREATE INDEX inbound_line_sku ON inbound_line USING btree (sku_key) WHERE is_open;

CREATE TABLE inbox (
  consumer text NOT NULL,
  event_id text NOT NULL,
  received_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT inbox_pkey PRIMARY KEY (consumer, event_id)
);
CREATE INDEX inbox_received_at ON inbox USING btree (received_at);

CREATE TABLE inspection (
  inspection_key bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
  sku_key integer NOT NULL,
  node_key integer NOT NULL,
  origin smallint NOT NULL,
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
  opened_at timestamp with time zone NOT NULL,
  due_at timestamp with time zone NOT NULL,
  closed_at timestamp with time zone,
  CONSTRAINT inspection_pkey PRIMARY KEY (inspection_key),
  CONSTRAINT inspection_check CHECK (LEAST(open, approved, rejected, missing) >= 0 AND quantity > 0 AND (open + approved + rejected + missing) = quantity),
  CONSTRAINT inspection_origin_check CHECK (origin = ANY (ARRAY[0, 1, 2, 3]))
);
CREATE INDEX inspection_closed_at ON inspection USING btree (closed_at) WHERE closed_at IS NOT NULL;
CREATE INDEX inspection_due ON inspection USING btree (due_at) WHERE open > 0;
CREATE INDEX inspection_node ON inspection USING btree (node_key, inspection_key);
CREATE INDEX inspection_open ON inspection USING btree (inspection_key) WHERE open > 0;
CREATE INDEX inspection_sku ON inspection USING btree (sku_key, inspection_key);

CREATE TABLE late_note (
  sku_key integer NOT NULL,
  node_key integer NOT NULL,
  kind text NOT NULL,
  state text,
  quantity bigint NOT NULL,
  source_key integer NOT NULL,
  source_event_id text,
  occurred_at timestamp with time zone NOT NULL,
  counted_at timestamp with time zone NOT NULL,
  counted_by text NOT NULL,
  recorded_at timestamp with time zone NOT NULL
) PARTITION BY RANGE (recorded_at);
CREATE TABLE late_note_default PARTITION OF late_note DEFAULT;
CREATE INDEX late_note_row ON late_note USING btree (sku_key, recorded_at);

CREATE TABLE ledger (
  sku_key integer NOT NULL,
  ordinal integer NOT NULL,
  sku_version bigint NOT NULL,
  supply_key bigint NOT NULL,
  quantity bigint NOT NULL,
  occurred_at timestamp with time zone NOT NULL,
  recorded_at timestamp with time zone NOT NULL,
  node_key integer NOT NULL,
  source_key integer NOT NULL,
  from_state smallint NOT NULL,
  to_state smallint NOT NULL,
  reason text NOT NULL,
  source_event_id text,
  CONSTRAINT ledger_pkey PRIMARY KEY (sku_key, sku_version, ordinal, recorded_at),
  CONSTRAINT ledger_check CHECK (quantity > 0 AND occurred_at <= recorded_at)
) PARTITION BY RANGE (recorded_at);
CREATE TABLE ledger_default PARTITION OF ledger DEFAULT;
CREATE INDEX ledger_events ON ledger USING btree (sku_key, occurred_at) WHERE (from_state = ANY (ARRAY[0, 6, 7])) OR (to_state = ANY (ARRAY[0, 6, 7]));
CREATE TRIGGER ledger_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON ledger FOR EACH STATEMENT EXECUTE FUNCTION ledger_is_append_only();

CREATE TABLE migration (
  name text NOT NULL,
  sha256 bytea NOT NULL,
  applied_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT migration_pkey PRIMARY KEY (name)
);

CREATE TABLE outbox (
  id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
  partition smallint NOT NULL,
  key text NOT NULL,
  subject text NOT NULL,
  event_id text NOT NULL,
  type text NOT NULL,
  source text NOT NULL,
  "time" timestamp with time zone NOT NULL,
  trace text,
  data json NOT NULL,
  recorded_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT outbox_pkey PRIMARY KEY (id, recorded_at),
  CONSTRAINT outbox_partition_check CHECK (partition >= 0)
) PARTITION BY RANGE (recorded_at);
CREATE TABLE outbox_default PARTITION OF outbox DEFAULT;
CREATE INDEX outbox_partition_id ON outbox USING btree (partition, id);

CREATE TABLE partitioned_table (
  name text NOT NULL,
  step text NOT NULL,
  CONSTRAINT partitioned_table_pkey PRIMARY KEY (name),
  CONSTRAINT partitioned_table_step_check CHECK (step = ANY (ARRAY['day'::text, 'month'::text]))
);

CREATE TABLE relay_cursor (
  partition smallint NOT NULL,
  owner text,
  epoch bigint NOT NULL DEFAULT 0,
  lease_until timestamp with time zone NOT NULL DEFAULT '-infinity'::timestamp with time zone,
  low bigint NOT NULL DEFAULT 0,
  stream_created timestamp with time zone,
  stream_seq bigint NOT NULL DEFAULT 0,
  stream_event_id text,
  checkpoints jsonb NOT NULL DEFAULT '[]'::jsonb,
  CONSTRAINT relay_cursor_pkey PRIMARY KEY (partition)
);

CREATE TABLE relay_stream (
  is_only boolean NOT NULL DEFAULT true,
  epoch bigint NOT NULL DEFAULT 1,
  CONSTRAINT relay_stream_pkey PRIMARY KEY (is_only),
  CONSTRAINT relay_stream_epoch_check CHECK (epoch > 0),
  CONSTRAINT relay_stream_is_only_check CHECK (is_only)
);

CREATE TABLE reservation (
  reservation_key bigint NOT NULL,
  owner text NOT NULL,
  id text NOT NULL,
  body_hash bytea NOT NULL,
  channel_key integer NOT NULL,
  version integer NOT NULL,
  created_at timestamp with time zone NOT NULL,
  first_expires_at timestamp with time zone NOT NULL,
  expires_at timestamp with time zone NOT NULL,
  lines json NOT NULL,
  amended json,
  actor text,
  person text,
  customer_reference text,
  controller_actor text,
  controller_order text,
  tombstone_by text,
  ordered_at timestamp with time zone,
  first_channel_key integer,
  priority smallint,
  destination_lat smallint,
  destination_lng smallint,
  CONSTRAINT reservation_pkey PRIMARY KEY (reservation_key),
  CONSTRAINT reservation_owner_id_key UNIQUE (owner, id)
) WITH (fillfactor=85);

CREATE TABLE sku_gate (
  sku_key integer NOT NULL,
  version bigint NOT NULL DEFAULT 0,
  CONSTRAINT sku_gate_pkey PRIMARY KEY (sku_key)
) WITH (fillfactor=50);

CREATE TABLE sku_stop (
  sku_key integer NOT NULL,
  node_key integer NOT NULL DEFAULT 0,
  channel_key integer NOT NULL DEFAULT 0,
  drains boolean NOT NULL,
  since timestamp with time zone NOT NULL,
  until timestamp with time zone,
  CONSTRAINT sku_stop_pkey PRIMARY KEY (sku_key, node_key, channel_key)
);
CREATE INDEX sku_stop_until ON sku_stop USING btree (until) WHERE until IS NOT NULL;

CREATE TABLE sku_task (
  sku_key integer NOT NULL,
  due_at timestamp with time zone NOT NULL,
  before_key bigint,
  after_rank bigint,
  after_reservation bigint,
  offers smallint NOT NULL DEFAULT 0,
  CONSTRAINT sku_task_pkey PRIMARY KEY (sku_key)
);

CREATE TABLE source (
  source_key integer NOT NULL GENERATED ALWAYS AS IDENTITY,
  principal text NOT NULL,
  name text NOT NULL,
  deducts_at smallint NOT NULL DEFAULT 1,
  CONSTRAINT source_pkey PRIMARY KEY (source_key),
  CONSTRAINT source_principal_name_key UNIQUE (principal, name),
  CONSTRAINT source_deducts_at_check CHECK (deducts_at = ANY (ARRAY[1, 2, 3]))
);

CREATE TABLE source_event (
  source_key integer NOT NULL,
  event_id text NOT NULL,
  actor text,
  command_id text,
  feed_key bigint,
  recorded_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT source_event_pkey PRIMARY KEY (source_key, event_id)
);

CREATE TABLE stage_entry (
  sku_key integer NOT NULL,
  reservation_version integer NOT NULL,
  reservation_key bigint NOT NULL,
  supply_key bigint NOT NULL,
  occurred_at timestamp with time zone NOT NULL,
  recorded_at timestamp with time zone NOT NULL,
  units integer NOT NULL,
  backing_no smallint NOT NULL,
  stage smallint NOT NULL,
  CONSTRAINT stage_entry_pkey PRIMARY KEY (reservation_key, reservation_version, backing_no, stage, recorded_at),
  CONSTRAINT stage_entry_check CHECK (units <> 0 AND occurred_at <= recorded_at)
) PARTITION BY RANGE (recorded_at);
CREATE TABLE stage_entry_default PARTITION OF stage_entry DEFAULT;
CREATE INDEX stage_entry_since ON stage_entry USING btree (sku_key, occurred_at);

CREATE TABLE stock_exception (
  exception_key bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
  code text NOT NULL,
  subject text NOT NULL,
  sku_key integer,
  node_key integer,
  supply_key bigint,
  quantity bigint,
  refs json,
  due_at timestamp with time zone,
  opened_at timestamp with time zone NOT NULL,
  closed_at timestamp with time zone,
  CONSTRAINT stock_exception_pkey PRIMARY KEY (exception_key),
  CONSTRAINT stock_exception_quantity_check CHECK (quantity >= 0)
);
CREATE INDEX stock_exception_closed_at ON stock_exception USING btree (closed_at) WHERE closed_at IS NOT NULL;
CREATE INDEX stock_exception_due ON stock_exception USING btree (due_at) WHERE closed_at IS NULL AND due_at IS NOT NULL;
CREATE INDEX stock_exception_sku ON stock_exception USING btree (sku_key) WHERE closed_at IS NULL;
CREATE UNIQUE INDEX stock_exception_open ON stock_exception USING btree (code, subject) WHERE closed_at IS NULL;

CREATE TABLE supply (
  supply_key bigint NOT NULL,
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
  CONSTRAINT supply_pkey PRIMARY KEY (supply_key),
  CONSTRAINT supply_sku_key_node_key_kind_detail_key_key UNIQUE (sku_key, node_key, kind, detail_key),
  CONSTRAINT lawful_units CHECK (LEAST(available, committed, reserved, safety_stock, damaged, quality_control, shortfall, overdrawn, unapplied) >= 0 AND shortfall <= (committed + reserved) AND (shortfall = 0 OR (available + safety_stock + unapplied) = 0) AND (overdrawn = 0 OR (available + committed + reserved + safety_stock + damaged + quality_control + unapplied) = shortfall) AND (kind = ANY (ARRAY[0, 1, 2])) AND (kind = 0 OR (safety_stock + unapplied + overdrawn) = 0) AND (kind <> 2 OR (available + shortfall + damaged + quality_control) = 0))
) WITH (fillfactor=70);
CREATE INDEX supply_future ON supply USING btree (sku_key) WHERE kind <> 0;
CREATE INDEX supply_short ON supply USING btree (sku_key) WHERE shortfall > 0;

CREATE TABLE told (
  what smallint NOT NULL,
  reservation_key bigint NOT NULL,
  subject text NOT NULL,
  sku_key integer NOT NULL,
  source_key integer NOT NULL,
  total bigint NOT NULL,
  CONSTRAINT told_pkey PRIMARY KEY (what, reservation_key, subject, sku_key, source_key)
);

CREATE TABLE told_effect (
  what smallint NOT NULL,
  reservation_key bigint NOT NULL,
  subject text NOT NULL,
  sku_key integer NOT NULL,
  effect bigint NOT NULL,
  plain bigint NOT NULL,
  undone bigint NOT NULL,
  CONSTRAINT told_effect_pkey PRIMARY KEY (what, reservation_key, subject, sku_key),
  CONSTRAINT told_effect_check CHECK (LEAST(effect, plain, undone) >= 0)
);

CREATE TABLE wait_search (
  singleton boolean NOT NULL DEFAULT true,
  rules text NOT NULL DEFAULT ''::text,
  after_key integer,
  begun_after integer NOT NULL DEFAULT 0,
  has_turned boolean NOT NULL DEFAULT false,
  again boolean NOT NULL DEFAULT false,
  due_at timestamp with time zone NOT NULL DEFAULT '-infinity'::timestamp with time zone,
  lease_until timestamp with time zone NOT NULL DEFAULT '-infinity'::timestamp with time zone,
  CONSTRAINT wait_search_pkey PRIMARY KEY (singleton),
  CONSTRAINT wait_search_singleton_check CHECK (singleton)
);

CREATE VIEW rules_allowance AS
 SELECT skus,
    nodes,
    cap
   FROM catalog.allowance;

CREATE VIEW rules_channel AS
 SELECT channel_key,
    code,
    node_types,
    nodes
   FROM catalog.channel;

CREATE VIEW rules_epoch AS
 SELECT epoch
   FROM catalog.catalog_epoch;

CREATE VIEW rules_fence AS
 SELECT fence_key,
    code,
    skus,
    nodes,
    channels,
    quantity,
    share_percent,
    until
   FROM catalog.fence
  WHERE COALESCE(quantity, share_percent) > 0;

CREATE VIEW rules_node AS
 SELECT node_key,
    code,
    type,
    lat,
    lng,
    active_from,
    active_to
   FROM catalog.node;

CREATE VIEW rules_receipt AS
 SELECT to_state,
    nodes,
    reasons,
    inspect_within_hours
   FROM catalog.receipt_policy
  WHERE to_state <> 'none'::text;

CREATE VIEW rules_stop AS
 SELECT nodes,
    channels,
    mode,
    until
   FROM catalog.stop_rule
  WHERE mode <> 'none'::text;

CREATE VIEW rules_threshold AS
 SELECT scope,
    channel_key,
    node_key,
    sku_key,
    quantity
   FROM catalog.threshold
  WHERE quantity > 0;

CREATE VIEW sku_code AS
 SELECT sku_key,
    code
   FROM catalog.sku;

CREATE VIEW stock AS
 SELECT supply_key,
    sku_key,
    node_key,
    available,
    committed,
    reserved,
    safety_stock,
    damaged,
    quality_control,
    shortfall,
    overdrawn,
    unapplied,
    on_hand,
    on_hand + unapplied - overdrawn AS net
   FROM ( SELECT supply.supply_key,
            supply.sku_key,
            supply.node_key,
            supply.available,
            supply.committed,
            supply.reserved,
            supply.safety_stock,
            supply.damaged,
            supply.quality_control,
            supply.shortfall,
            supply.overdrawn,
            supply.unapplied,
            supply.available + supply.committed + supply.reserved + supply.safety_stock + supply.damaged + supply.quality_control - supply.shortfall AS on_hand
           FROM supply
          WHERE supply.kind = 0 AND supply.detail_key = 0) s;

CREATE OR REPLACE FUNCTION analyze_feed_stage(feed_key bigint, attempt integer)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'availability', 'pg_temp'
AS $function$
BEGIN
  EXECUTE format('ANALYZE %I.%I', current_schema(), format('feed_stage_%s_%s', feed_key, attempt));
END
$function$;

CREATE OR REPLACE FUNCTION create_feed_stage(feed_key bigint, attempt integer)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'availability', 'pg_temp'
AS $function$
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
$function$;

CREATE OR REPLACE FUNCTION drop_feed_stage(feed_key bigint, attempt integer)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'availability', 'pg_temp'
AS $function$
BEGIN
  EXECUTE format('DROP TABLE IF EXISTS %I.%I', current_schema(), format('feed_stage_%s_%s', feed_key, attempt));
END
$function$;

CREATE OR REPLACE FUNCTION drop_outbox_day(keep_days integer)
 RETURNS text
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'availability', 'pg_temp'
 SET "TimeZone" TO 'UTC'
 SET lock_timeout TO '100ms'
AS $function$
DECLARE
  part text;
BEGIN
  IF (keep_days >= 7) IS NOT TRUE THEN RAISE EXCEPTION 'the outbox keeps at least 7 days'; END IF;
  PERFORM lock_partitions();
  FOR part IN
    SELECT relname FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid
     WHERE inhparent = 'outbox'::regclass AND relname ~ '^outbox_p[0-9]{8}$'
       AND to_date(right(relname, 8), 'YYYYMMDD') + 1 + keep_days <= clock_timestamp()::date
     ORDER BY relname
  LOOP
    CONTINUE WHEN NOT is_outbox_day_published(part);
    EXECUTE format('LOCK TABLE ONLY outbox, %I IN ACCESS EXCLUSIVE MODE', part);
    -- Whoever wrote while the lock was waited for is in it now.
    CONTINUE WHEN NOT is_outbox_day_published(part);
    EXECUTE format('DROP TABLE %I', part);
    RETURN part;
  END LOOP;
  RETURN NULL;
END
$function$;

CREATE OR REPLACE FUNCTION index_feed_stage(feed_key bigint, attempt integer, unique_by text)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'availability', 'pg_temp'
AS $function$
DECLARE
  stage text := format('feed_stage_%s_%s', feed_key, attempt);
  key text := CASE unique_by WHEN 'record' THEN '(record_id)' WHEN 'row' THEN '(sku_key, node_key)' WHEN 'line' THEN '(line)'
    WHEN 'state' THEN '(sku_key, node_key, state) NULLS NOT DISTINCT' END;
BEGIN
  IF key IS NULL THEN RAISE EXCEPTION 'a feed has no key %', unique_by; END IF;
  EXECUTE format('CREATE UNIQUE INDEX ON %I.%I %s', current_schema(), stage, key);
END
$function$;

CREATE OR REPLACE FUNCTION is_outbox_day_published(part text)
 RETURNS boolean
 LANGUAGE plpgsql
 SET search_path TO 'availability', 'pg_temp'
AS $function$
DECLARE
  is_published boolean;
BEGIN
  EXECUTE format($look$
    WITH RECURSIVE present AS (
      SELECT min(partition) AS partition FROM %1$I
       UNION ALL
      SELECT (SELECT min(o.partition) FROM %1$I o WHERE o.partition > p.partition) FROM present p WHERE p.partition IS NOT NULL)
    SELECT NOT EXISTS (
      SELECT FROM present LEFT JOIN relay_cursor USING (partition)
       WHERE EXISTS (SELECT FROM %1$I o WHERE o.partition = present.partition AND o.id > coalesce(relay_cursor.low, 0)))
    $look$, part) INTO is_published;
  RETURN is_published;
END
$function$;

CREATE OR REPLACE FUNCTION ledger_is_append_only()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  RAISE EXCEPTION 'the ledger is append-only';
END
$function$;

CREATE OR REPLACE FUNCTION lock_partitions()
 RETURNS void
 LANGUAGE sql
 SET search_path TO 'availability', 'pg_temp'
AS $function$
  SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || '.partitions', 0))
$function$;

CREATE OR REPLACE FUNCTION make_partition(parent text, step text, starts timestamp with time zone)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'availability', 'pg_temp'
AS $function$
DECLARE
  part text := partition_name(parent, step, starts);
  ends timestamptz := starts + ('1 ' || step)::interval;
  fallen text := parent || '_default';
  has_fallen boolean;
  guard text;
BEGIN
  EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL EXCLUDING IDENTITY)', part, parent);
  FOR guard IN
    SELECT pg_get_triggerdef(oid, true) FROM pg_trigger WHERE tgrelid = parent::regclass AND NOT tgisinternal
  LOOP
    EXECUTE replace(guard, format(' ON %I ', parent), format(' ON %I ', part));
  END LOOP;
  EXECUTE format('LOCK TABLE %I IN ACCESS EXCLUSIVE MODE', fallen);
  EXECUTE format('SELECT EXISTS (SELECT FROM %I WHERE recorded_at >= $1 AND recorded_at < $2)', fallen)
    INTO has_fallen USING starts, ends;
  IF has_fallen THEN
    EXECUTE format('ALTER TABLE %I DISABLE TRIGGER USER', fallen);
    EXECUTE format(
      'WITH moved AS (DELETE FROM %I WHERE recorded_at >= $1 AND recorded_at < $2 RETURNING *) INSERT INTO %I TABLE moved',
      fallen, part) USING starts, ends;
    EXECUTE format('ALTER TABLE %I ENABLE TRIGGER USER', fallen);
  END IF;
  EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', parent, part, starts, ends);
END
$function$;

CREATE OR REPLACE FUNCTION make_partitions(days_ahead integer, at_most integer)
 RETURNS integer
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'availability', 'pg_temp'
 SET "TimeZone" TO 'UTC'
 SET lock_timeout TO '100ms'
AS $function$
DECLARE
  made integer := 0;
  grown record;
  missing timestamptz[];
  starts timestamptz;
BEGIN
  IF (days_ahead BETWEEN 0 AND 60) IS NOT TRUE THEN RAISE EXCEPTION 'partitions are made 0 to 60 days ahead'; END IF;
  PERFORM lock_partitions();
  FOR grown IN SELECT name, step FROM partitioned_table ORDER BY name LOOP
    EXECUTE format($wanted$
      SELECT array_agg(at ORDER BY place, at) FROM (
        SELECT at, min(place) AS place FROM (
          SELECT 1 AS place, date_trunc($2, clock_timestamp()) AS at
           UNION ALL
          SELECT 2, date_trunc($2, recorded_at) FROM %I
           UNION ALL
          SELECT 3, generate_series(date_trunc($2, clock_timestamp()), clock_timestamp() + make_interval(days => $3), ('1 ' || $2)::interval)
        ) wanted GROUP BY at) once
       WHERE to_regclass(quote_ident(partition_name($1, $2, at))) IS NULL
      $wanted$, grown.name || '_default') INTO missing USING grown.name, grown.step, days_ahead;
    FOREACH starts IN ARRAY coalesce(missing, '{}') LOOP
      IF made >= at_most THEN RETURN made; END IF;
      PERFORM make_partition(grown.name, grown.step, starts);
      made := made + 1;
    END LOOP;
  END LOOP;
  RETURN made;
END
$function$;

CREATE OR REPLACE FUNCTION partition_name(parent text, step text, starts timestamp with time zone)
 RETURNS text
 LANGUAGE sql
 STABLE
 SET search_path TO 'availability', 'pg_temp'
AS $function$
  SELECT parent || '_p' || to_char(starts, CASE step WHEN 'day' THEN 'YYYYMMDD' ELSE 'YYYYMM' END)
$function$;

CREATE OR REPLACE FUNCTION partition_state()
 RETURNS TABLE(table_name text, ready_until timestamp with time zone, has_fallen boolean)
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'availability', 'pg_temp'
 SET "TimeZone" TO 'UTC'
AS $function$
DECLARE
  grown record;
BEGIN
  FOR grown IN SELECT name, step FROM partitioned_table ORDER BY name LOOP
    table_name := grown.name;
    SELECT min(starts) INTO ready_until
      FROM generate_series(date_trunc(grown.step, clock_timestamp()), clock_timestamp() + interval '1 year', ('1 ' || grown.step)::interval) AS starts
     WHERE to_regclass(quote_ident(partition_name(grown.name, grown.step, starts))) IS NULL;
    EXECUTE format('SELECT EXISTS (SELECT FROM %I)', grown.name || '_default') INTO has_fallen;
    RETURN NEXT;
  END LOOP;
END
$function$;

CREATE SCHEMA catalog;

CREATE SEQUENCE fence_key AS integer INCREMENT BY 1 CACHE 1;

CREATE TABLE aggregate (
  key text NOT NULL,
  version bigint NOT NULL DEFAULT 0,
  CONSTRAINT aggregate_pkey PRIMARY KEY (key)
) WITH (fillfactor=70);

CREATE TABLE allowance (
  rule_key integer NOT NULL GENERATED ALWAYS AS IDENTITY,
  code text NOT NULL,
  skus text[],
  nodes text[],
  cap integer NOT NULL,
  reason text,
  CONSTRAINT allowance_pkey PRIMARY KEY (rule_key),
  CONSTRAINT allowance_code_key UNIQUE (code),
  CONSTRAINT allowance_cap_check CHECK (cap >= 0)
);

CREATE TABLE catalog_epoch (
  singleton boolean NOT NULL DEFAULT true,
  epoch bigint NOT NULL,
  CONSTRAINT catalog_epoch_pkey PRIMARY KEY (singleton),
  CONSTRAINT catalog_epoch_singleton_check CHECK (singleton)
);

CREATE TABLE channel (
  channel_key integer NOT NULL GENERATED ALWAYS AS IDENTITY,
  code text NOT NULL,
  name text,
  type text NOT NULL,
  node_types text[],
  nodes text[],
  legal_entity text,
  brand text,
  currency text,
  CONSTRAINT channel_pkey PRIMARY KEY (channel_key),
  CONSTRAINT channel_code_key UNIQUE (code),
  CONSTRAINT channel_type_check CHECK (type = ANY (ARRAY['web'::text, 'marketplace'::text, 'pos'::text, 'endless_aisle'::text, 'b2b'::text]))
);

CREATE TABLE eligibility_rule (
  rule_key integer NOT NULL GENERATED ALWAYS AS IDENTITY,
  code text NOT NULL,
  forbids text NOT NULL,
  skus text[],
  nodes text[],
  channels text[],
  reason text,
  CONSTRAINT eligibility_rule_pkey PRIMARY KEY (rule_key),
  CONSTRAINT eligibility_rule_code_key UNIQUE (code),
  CONSTRAINT eligibility_rule_forbids_check CHECK (forbids = ANY (ARRAY['ship'::text, 'sell'::text]))
);

CREATE TABLE fence (
  rule_key integer NOT NULL GENERATED ALWAYS AS IDENTITY,
  code text NOT NULL,
  fence_key integer NOT NULL,
  skus text[],
  nodes text[],
  channels text[] NOT NULL,
  quantity integer,
  share_percent integer,
  until timestamp with time zone,
  reason text,
  CONSTRAINT fence_pkey PRIMARY KEY (rule_key),
  CONSTRAINT fence_code_key UNIQUE (code),
  CONSTRAINT fence_fence_key_key UNIQUE (fence_key),
  CONSTRAINT fence_check CHECK (num_nonnulls(quantity, share_percent) = 1)
);
CREATE TRIGGER fence_is_made BEFORE INSERT ON fence FOR EACH ROW EXECUTE FUNCTION set_fence_anew();
CREATE TRIGGER fence_is_set_anew BEFORE UPDATE ON fence FOR EACH ROW WHEN (old.quantity IS DISTINCT FROM new.quantity OR old.share_percent IS DISTINCT FROM new.share_percent OR old.channels IS DISTINCT FROM new.channels) EXECUTE FUNCTION set_fence_anew();

CREATE TABLE inbox (
  consumer text NOT NULL,
  event_id text NOT NULL,
  received_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT inbox_pkey PRIMARY KEY (consumer, event_id)
);
CREATE INDEX inbox_received_at ON inbox USING btree (received_at);

CREATE TABLE migration (
  name text NOT NULL,
  sha256 bytea NOT NULL,
  applied_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT migration_pkey PRIMARY KEY (name)
);

CREATE TABLE node (
  node_key integer NOT NULL GENERATED ALWAYS AS IDENTITY,
  code text NOT NULL,
  name text,
  type text NOT NULL,
  gln text,
  lat double precision,
  lng double precision,
  time_zone text NOT NULL DEFAULT 'UTC'::text,
  daily_capacity integer,
  active_from timestamp with time zone,
  active_to timestamp with time zone,
  legal_entity text,
  brand text,
  groups text[],
  fulfilment_types text[],
  opening_hours json,
  holidays json,
  cut_offs json,
  carrier_services json,
  CONSTRAINT node_pkey PRIMARY KEY (node_key),
  CONSTRAINT node_code_key UNIQUE (code),
  CONSTRAINT node_type_check CHECK (type = ANY (ARRAY['store'::text, 'warehouse'::text, '3pl'::text, 'dropship'::text, 'micro_fulfillment'::text, 'popup'::text]))
);

CREATE TABLE outbox (
  id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
  partition smallint NOT NULL,
  key text NOT NULL,
  subject text NOT NULL,
  event_id text NOT NULL,
  type text NOT NULL,
  source text NOT NULL,
  "time" timestamp with time zone NOT NULL,
  trace text,
  data json NOT NULL,
  recorded_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT outbox_pkey PRIMARY KEY (id, recorded_at),
  CONSTRAINT outbox_partition_check CHECK (partition >= 0)
) PARTITION BY RANGE (recorded_at);
CREATE TABLE outbox_default PARTITION OF outbox DEFAULT;
CREATE INDEX outbox_partition_id ON outbox USING btree (partition, id);

CREATE TABLE partitioned_table (
  name text NOT NULL,
  step text NOT NULL,
  CONSTRAINT partitioned_table_pkey PRIMARY KEY (name),
  CONSTRAINT partitioned_table_step_check CHECK (step = ANY (ARRAY['day'::text, 'month'::text]))
);

CREATE TABLE price (
  price_key integer NOT NULL GENERATED ALWAYS AS IDENTITY,
  sku_key integer NOT NULL,
  channel_key integer NOT NULL,
  currency text NOT NULL,
  periods json NOT NULL,
  CONSTRAINT price_pkey PRIMARY KEY (price_key),
  CONSTRAINT price_sku_key_channel_key_currency_key UNIQUE (sku_key, channel_key, currency),
  CONSTRAINT price_channel_key_fkey FOREIGN KEY (channel_key) REFERENCES channel(channel_key),
  CONSTRAINT price_sku_key_fkey FOREIGN KEY (sku_key) REFERENCES sku(sku_key)
);

CREATE TABLE receipt_policy (
  rule_key integer NOT NULL GENERATED ALWAYS AS IDENTITY,
  code text NOT NULL,
  to_state text NOT NULL,
  nodes text[],
  reasons text[],
  inspect_within_hours integer NOT NULL,
  CONSTRAINT receipt_policy_pkey PRIMARY KEY (rule_key),
  CONSTRAINT receipt_policy_code_key UNIQUE (code),
  CONSTRAINT receipt_policy_inspect_within_hours_check CHECK (inspect_within_hours > 0),
  CONSTRAINT receipt_policy_to_state_check CHECK (to_state = ANY (ARRAY['available'::text, 'quality_control'::text, 'none'::text]))
);

CREATE TABLE relay_cursor (
  partition smallint NOT NULL,
  owner text,
  epoch bigint NOT NULL DEFAULT 0,
  lease_until timestamp with time zone NOT NULL DEFAULT '-infinity'::timestamp with time zone,
  low bigint NOT NULL DEFAULT 0,
  stream_created timestamp with time zone,
  stream_seq bigint NOT NULL DEFAULT 0,
  stream_event_id text,
  checkpoints jsonb NOT NULL DEFAULT '[]'::jsonb,
  CONSTRAINT relay_cursor_pkey PRIMARY KEY (partition)
);

CREATE TABLE relay_stream (
  is_only boolean NOT NULL DEFAULT true,
  epoch bigint NOT NULL DEFAULT 1,
  CONSTRAINT relay_stream_pkey PRIMARY KEY (is_only),
  CONSTRAINT relay_stream_epoch_check CHECK (epoch > 0),
  CONSTRAINT relay_stream_is_only_check CHECK (is_only)
);

CREATE TABLE sku (
  sku_key integer NOT NULL GENERATED ALWAYS AS IDENTITY,
  code text NOT NULL,
  title text,
  gtin text,
  identifiers json,
  gtins text[] NOT NULL DEFAULT '{}'::text[],
  weight_grams integer,
  length_mm integer,
  width_mm integer,
  height_mm integer,
  category text,
  brand text,
  tax_class text,
  supplier_cost bigint,
  supplier_cost_currency text,
  lead_time_days integer,
  CONSTRAINT sku_pkey PRIMARY KEY (sku_key),
  CONSTRAINT sku_code_key UNIQUE (code)
);
CREATE INDEX sku_gtins ON sku USING gin (gtins);

CREATE TABLE stop_rule (
  rule_key integer NOT NULL GENERATED ALWAYS AS IDENTITY,
  code text NOT NULL,
  mode text NOT NULL,
  nodes text[],
  channels text[],
  until timestamp with time zone,
  reason text,
  CONSTRAINT stop_rule_pkey PRIMARY KEY (rule_key),
  CONSTRAINT stop_rule_code_key UNIQUE (code),
  CONSTRAINT stop_rule_mode_check CHECK (mode = ANY (ARRAY['stop'::text, 'drain'::text, 'none'::text]))
);

CREATE TABLE task (
  id uuid NOT NULL,
  "position" bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
  kind text NOT NULL,
  key text NOT NULL,
  payload json NOT NULL,
  state text NOT NULL DEFAULT 'open'::text,
  phase text NOT NULL DEFAULT 'run'::text,
  ending text,
  attempts integer NOT NULL DEFAULT 0,
  due_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
  deadline_at timestamp with time zone,
  lease uuid,
  lease_until timestamp with time zone NOT NULL DEFAULT '-infinity'::timestamp with time zone,
  note text,
  actor text,
  person text,
  trace text,
  created_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
  ended_at timestamp with time zone,
  CONSTRAINT task_pkey PRIMARY KEY (id),
  CONSTRAINT task_ending_check CHECK (ending = ANY (ARRAY['refused'::text, 'given_up'::text])),
  CONSTRAINT task_phase_check CHECK (phase = ANY (ARRAY['run'::text, 'undo'::text])),
  CONSTRAINT task_state_check CHECK (state = ANY (ARRAY['open'::text, 'done'::text, 'refused'::text, 'given_up'::text]))
) WITH (fillfactor=70);
CREATE INDEX task_due ON task USING btree (due_at) WHERE state = 'open'::text;
CREATE INDEX task_ended ON task USING btree (ended_at) WHERE state <> 'open'::text;
CREATE INDEX task_of_key ON task USING btree (key, "position") WHERE state = 'open'::text;

CREATE TABLE threshold (
  threshold_key integer NOT NULL GENERATED ALWAYS AS IDENTITY,
  scope text NOT NULL,
  channel_key integer,
  node_key integer,
  sku_key integer,
  quantity integer NOT NULL,
  CONSTRAINT threshold_pkey PRIMARY KEY (threshold_key),
  CONSTRAINT threshold_scope_channel_key_node_key_sku_key_key UNIQUE NULLS NOT DISTINCT (scope, channel_key, node_key, sku_key),
  CONSTRAINT threshold_channel_key_fkey FOREIGN KEY (channel_key) REFERENCES channel(channel_key),
  CONSTRAINT threshold_node_key_fkey FOREIGN KEY (node_key) REFERENCES node(node_key),
  CONSTRAINT threshold_sku_key_fkey FOREIGN KEY (sku_key) REFERENCES sku(sku_key),
  CONSTRAINT threshold_quantity_check CHECK (quantity >= 0),
  CONSTRAINT threshold_scope_check CHECK (scope = ANY (ARRAY['node'::text, 'network'::text]))
);

CREATE OR REPLACE FUNCTION drop_outbox_day(keep_days integer)
 RETURNS text
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'catalog', 'pg_temp'
 SET "TimeZone" TO 'UTC'
 SET lock_timeout TO '100ms'
AS $function$
DECLARE
  part text;
BEGIN
  IF (keep_days >= 7) IS NOT TRUE THEN RAISE EXCEPTION 'the outbox keeps at least 7 days'; END IF;
  PERFORM lock_partitions();
  FOR part IN
    SELECT relname FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid
     WHERE inhparent = 'outbox'::regclass AND relname ~ '^outbox_p[0-9]{8}$'
       AND to_date(right(relname, 8), 'YYYYMMDD') + 1 + keep_days <= clock_timestamp()::date
     ORDER BY relname
  LOOP
    CONTINUE WHEN NOT is_outbox_day_published(part);
    EXECUTE format('LOCK TABLE ONLY outbox, %I IN ACCESS EXCLUSIVE MODE', part);
    -- Whoever wrote while the lock was waited for is in it now.
    CONTINUE WHEN NOT is_outbox_day_published(part);
    EXECUTE format('DROP TABLE %I', part);
    RETURN part;
  END LOOP;
  RETURN NULL;
END
$function$;

CREATE OR REPLACE FUNCTION is_outbox_day_published(part text)
 RETURNS boolean
 LANGUAGE plpgsql
 SET search_path TO 'catalog', 'pg_temp'
AS $function$
DECLARE
  is_published boolean;
BEGIN
  EXECUTE format($look$
    WITH RECURSIVE present AS (
      SELECT min(partition) AS partition FROM %1$I
       UNION ALL
      SELECT (SELECT min(o.partition) FROM %1$I o WHERE o.partition > p.partition) FROM present p WHERE p.partition IS NOT NULL)
    SELECT NOT EXISTS (
      SELECT FROM present LEFT JOIN relay_cursor USING (partition)
       WHERE EXISTS (SELECT FROM %1$I o WHERE o.partition = present.partition AND o.id > coalesce(relay_cursor.low, 0)))
    $look$, part) INTO is_published;
  RETURN is_published;
END
$function$;

CREATE OR REPLACE FUNCTION lock_partitions()
 RETURNS void
 LANGUAGE sql
 SET search_path TO 'catalog', 'pg_temp'
AS $function$
  SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || '.partitions', 0))
$function$;

CREATE OR REPLACE FUNCTION make_partition(parent text, step text, starts timestamp with time zone)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'catalog', 'pg_temp'
AS $function$
DECLARE
  part text := partition_name(parent, step, starts);
  ends timestamptz := starts + ('1 ' || step)::interval;
  fallen text := parent || '_default';
  has_fallen boolean;
  guard text;
BEGIN
  EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL EXCLUDING IDENTITY)', part, parent);
  FOR guard IN
    SELECT pg_get_triggerdef(oid, true) FROM pg_trigger WHERE tgrelid = parent::regclass AND NOT tgisinternal
  LOOP
    EXECUTE replace(guard, format(' ON %I ', parent), format(' ON %I ', part));
  END LOOP;
  EXECUTE format('LOCK TABLE %I IN ACCESS EXCLUSIVE MODE', fallen);
  EXECUTE format('SELECT EXISTS (SELECT FROM %I WHERE recorded_at >= $1 AND recorded_at < $2)', fallen)
    INTO has_fallen USING starts, ends;
  IF has_fallen THEN
    EXECUTE format('ALTER TABLE %I DISABLE TRIGGER USER', fallen);
    EXECUTE format(
      'WITH moved AS (DELETE FROM %I WHERE recorded_at >= $1 AND recorded_at < $2 RETURNING *) INSERT INTO %I TABLE moved',
      fallen, part) USING starts, ends;
    EXECUTE format('ALTER TABLE %I ENABLE TRIGGER USER', fallen);
  END IF;
  EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', parent, part, starts, ends);
END
$function$;

CREATE OR REPLACE FUNCTION make_partitions(days_ahead integer, at_most integer)
 RETURNS integer
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'catalog', 'pg_temp'
 SET "TimeZone" TO 'UTC'
 SET lock_timeout TO '100ms'
AS $function$
DECLARE
  made integer := 0;
  grown record;
  missing timestamptz[];
  starts timestamptz;
BEGIN
  IF (days_ahead BETWEEN 0 AND 60) IS NOT TRUE THEN RAISE EXCEPTION 'partitions are made 0 to 60 days ahead'; END IF;
  PERFORM lock_partitions();
  FOR grown IN SELECT name, step FROM partitioned_table ORDER BY name LOOP
    EXECUTE format($wanted$
      SELECT array_agg(at ORDER BY place, at) FROM (
        SELECT at, min(place) AS place FROM (
          SELECT 1 AS place, date_trunc($2, clock_timestamp()) AS at
           UNION ALL
          SELECT 2, date_trunc($2, recorded_at) FROM %I
           UNION ALL
          SELECT 3, generate_series(date_trunc($2, clock_timestamp()), clock_timestamp() + make_interval(days => $3), ('1 ' || $2)::interval)
        ) wanted GROUP BY at) once
       WHERE to_regclass(quote_ident(partition_name($1, $2, at))) IS NULL
      $wanted$, grown.name || '_default') INTO missing USING grown.name, grown.step, days_ahead;
    FOREACH starts IN ARRAY coalesce(missing, '{}') LOOP
      IF made >= at_most THEN RETURN made; END IF;
      PERFORM make_partition(grown.name, grown.step, starts);
      made := made + 1;
    END LOOP;
  END LOOP;
  RETURN made;
END
$function$;

CREATE OR REPLACE FUNCTION partition_name(parent text, step text, starts timestamp with time zone)
 RETURNS text
 LANGUAGE sql
 STABLE
 SET search_path TO 'catalog', 'pg_temp'
AS $function$
  SELECT parent || '_p' || to_char(starts, CASE step WHEN 'day' THEN 'YYYYMMDD' ELSE 'YYYYMM' END)
$function$;

CREATE OR REPLACE FUNCTION partition_state()
 RETURNS TABLE(table_name text, ready_until timestamp with time zone, has_fallen boolean)
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'catalog', 'pg_temp'
 SET "TimeZone" TO 'UTC'
AS $function$
DECLARE
  grown record;
BEGIN
  FOR grown IN SELECT name, step FROM partitioned_table ORDER BY name LOOP
    table_name := grown.name;
    SELECT min(starts) INTO ready_until
      FROM generate_series(date_trunc(grown.step, clock_timestamp()), clock_timestamp() + interval '1 year', ('1 ' || grown.step)::interval) AS starts
     WHERE to_regclass(quote_ident(partition_name(grown.name, grown.step, starts))) IS NULL;
    EXECUTE format('SELECT EXISTS (SELECT FROM %I)', grown.name || '_default') INTO has_fallen;
    RETURN NEXT;
  END LOOP;
END
$function$;

CREATE OR REPLACE FUNCTION set_fence_anew()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'catalog', 'pg_temp'
AS $function$
BEGIN
  NEW.fence_key := nextval('fence_key');
  RETURN NEW;
END
$function$;

CREATE SCHEMA identity;

CREATE TABLE aggregate (
  key text NOT NULL,
  version bigint NOT NULL DEFAULT 0,
  CONSTRAINT aggregate_pkey PRIMARY KEY (key)
) WITH (fillfactor=70);

CREATE TABLE api_key (
  key_sha256 bytea NOT NULL,
  id text NOT NULL,
  principal_key integer NOT NULL,
  scopes text[],
  nodes text[],
  channels text[],
  created_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
  expires_at timestamp with time zone,
  revoked_at timestamp with time zone,
  CONSTRAINT api_key_pkey PRIMARY KEY (key_sha256),
  CONSTRAINT api_key_id_key UNIQUE (id),
  CONSTRAINT api_key_principal_key_fkey FOREIGN KEY (principal_key) REFERENCES principal(principal_key),
  CONSTRAINT api_key_key_sha256_check CHECK (octet_length(key_sha256) = 32)
);
CREATE INDEX api_key_principal ON api_key USING btree (principal_key);

CREATE TABLE api_key_use (
  key_sha256 bytea NOT NULL,
  last_used_on date NOT NULL,
  CONSTRAINT api_key_use_pkey PRIMARY KEY (key_sha256)
);

CREATE TABLE identity_step (
  epoch bigint NOT NULL,
  principals text[],
  recorded_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT identity_step_pkey PRIMARY KEY (epoch)
);

CREATE TABLE identity_version (
  singleton boolean NOT NULL DEFAULT true,
  incarnation uuid NOT NULL DEFAULT gen_random_uuid(),
  epoch bigint NOT NULL DEFAULT 1,
  CONSTRAINT identity_version_pkey PRIMARY KEY (singleton),
  CONSTRAINT identity_version_singleton_check CHECK (singleton)
);

CREATE TABLE inbox (
  consumer text NOT NULL,
  event_id text NOT NULL,
  received_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT inbox_pkey PRIMARY KEY (consumer, event_id)
);
CREATE INDEX inbox_received_at ON inbox USING btree (received_at);

CREATE TABLE migration (
  name text NOT NULL,
  sha256 bytea NOT NULL,
  applied_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT migration_pkey PRIMARY KEY (name)
);

CREATE TABLE outbox (
  id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
  partition smallint NOT NULL,
  key text NOT NULL,
  subject text NOT NULL,
  event_id text NOT NULL,
  type text NOT NULL,
  source text NOT NULL,
  "time" timestamp with time zone NOT NULL,
  trace text,
  data json NOT NULL,
  recorded_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT outbox_pkey PRIMARY KEY (id, recorded_at),
  CONSTRAINT outbox_partition_check CHECK (partition >= 0)
) PARTITION BY RANGE (recorded_at);
CREATE TABLE outbox_default PARTITION OF outbox DEFAULT;
CREATE INDEX outbox_partition_id ON outbox USING btree (partition, id);

CREATE TABLE partitioned_table (
  name text NOT NULL,
  step text NOT NULL,
  CONSTRAINT partitioned_table_pkey PRIMARY KEY (name),
  CONSTRAINT partitioned_table_step_check CHECK (step = ANY (ARRAY['day'::text, 'month'::text]))
);

CREATE TABLE principal (
  principal_key integer NOT NULL GENERATED ALWAYS AS IDENTITY,
  id text NOT NULL,
  kind text NOT NULL,
  name text,
  scopes text[] NOT NULL,
  nodes text[],
  channels text[],
  created_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
  disabled_at timestamp with time zone,
  CONSTRAINT principal_pkey PRIMARY KEY (principal_key),
  CONSTRAINT principal_id_key UNIQUE (id),
  CONSTRAINT only_the_disabled_are_erased CHECK (name IS NOT NULL OR kind = 'person'::text AND disabled_at IS NOT NULL),
  CONSTRAINT principal_kind_check CHECK (kind = ANY (ARRAY['person'::text, 'service'::text]))
);
CREATE INDEX principal_name ON principal USING btree (name);
CREATE UNIQUE INDEX principal_service_name ON principal USING btree (name) WHERE kind = 'service'::text;

CREATE TABLE principal_role (
  principal_key integer NOT NULL,
  role_key integer NOT NULL,
  CONSTRAINT principal_role_pkey PRIMARY KEY (principal_key, role_key),
  CONSTRAINT principal_role_principal_key_fkey FOREIGN KEY (principal_key) REFERENCES principal(principal_key),
  CONSTRAINT principal_role_role_key_fkey FOREIGN KEY (role_key) REFERENCES role(role_key)
);

CREATE TABLE relay_cursor (
  partition smallint NOT NULL,
  owner text,
  epoch bigint NOT NULL DEFAULT 0,
  lease_until timestamp with time zone NOT NULL DEFAULT '-infinity'::timestamp with time zone,
  low bigint NOT NULL DEFAULT 0,
  stream_created timestamp with time zone,
  stream_seq bigint NOT NULL DEFAULT 0,
  stream_event_id text,
  checkpoints jsonb NOT NULL DEFAULT '[]'::jsonb,
  CONSTRAINT relay_cursor_pkey PRIMARY KEY (partition)
);

CREATE TABLE relay_stream (
  is_only boolean NOT NULL DEFAULT true,
  epoch bigint NOT NULL DEFAULT 1,
  CONSTRAINT relay_stream_pkey PRIMARY KEY (is_only),
  CONSTRAINT relay_stream_epoch_check CHECK (epoch > 0),
  CONSTRAINT relay_stream_is_only_check CHECK (is_only)
);

CREATE TABLE role (
  role_key integer NOT NULL GENERATED ALWAYS AS IDENTITY,
  name text NOT NULL,
  scopes text[] NOT NULL,
  CONSTRAINT role_pkey PRIMARY KEY (role_key),
  CONSTRAINT role_name_key UNIQUE (name)
);

CREATE OR REPLACE FUNCTION drop_outbox_day(keep_days integer)
 RETURNS text
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'identity', 'pg_temp'
 SET "TimeZone" TO 'UTC'
 SET lock_timeout TO '100ms'
AS $function$
DECLARE
  part text;
BEGIN
  IF (keep_days >= 7) IS NOT TRUE THEN RAISE EXCEPTION 'the outbox keeps at least 7 days'; END IF;
  PERFORM lock_partitions();
  FOR part IN
    SELECT relname FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid
     WHERE inhparent = 'outbox'::regclass AND relname ~ '^outbox_p[0-9]{8}$'
       AND to_date(right(relname, 8), 'YYYYMMDD') + 1 + keep_days <= clock_timestamp()::date
     ORDER BY relname
  LOOP
    CONTINUE WHEN NOT is_outbox_day_published(part);
    EXECUTE format('LOCK TABLE ONLY outbox, %I IN ACCESS EXCLUSIVE MODE', part);
    -- Whoever wrote while the lock was waited for is in it now.
    CONTINUE WHEN NOT is_outbox_day_published(part);
    EXECUTE format('DROP TABLE %I', part);
    RETURN part;
  END LOOP;
  RETURN NULL;
END
$function$;

CREATE OR REPLACE FUNCTION is_outbox_day_published(part text)
 RETURNS boolean
 LANGUAGE plpgsql
 SET search_path TO 'identity', 'pg_temp'
AS $function$
DECLARE
  is_published boolean;
BEGIN
  EXECUTE format($look$
    WITH RECURSIVE present AS (
      SELECT min(partition) AS partition FROM %1$I
       UNION ALL
      SELECT (SELECT min(o.partition) FROM %1$I o WHERE o.partition > p.partition) FROM present p WHERE p.partition IS NOT NULL)
    SELECT NOT EXISTS (
      SELECT FROM present LEFT JOIN relay_cursor USING (partition)
       WHERE EXISTS (SELECT FROM %1$I o WHERE o.partition = present.partition AND o.id > coalesce(relay_cursor.low, 0)))
    $look$, part) INTO is_published;
  RETURN is_published;
END
$function$;

CREATE OR REPLACE FUNCTION lock_partitions()
 RETURNS void
 LANGUAGE sql
 SET search_path TO 'identity', 'pg_temp'
AS $function$
  SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || '.partitions', 0))
$function$;

CREATE OR REPLACE FUNCTION make_partition(parent text, step text, starts timestamp with time zone)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'identity', 'pg_temp'
AS $function$
DECLARE
  part text := partition_name(parent, step, starts);
  ends timestamptz := starts + ('1 ' || step)::interval;
  fallen text := parent || '_default';
  has_fallen boolean;
  guard text;
BEGIN
  EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL EXCLUDING IDENTITY)', part, parent);
  FOR guard IN
    SELECT pg_get_triggerdef(oid, true) FROM pg_trigger WHERE tgrelid = parent::regclass AND NOT tgisinternal
  LOOP
    EXECUTE replace(guard, format(' ON %I ', parent), format(' ON %I ', part));
  END LOOP;
  EXECUTE format('LOCK TABLE %I IN ACCESS EXCLUSIVE MODE', fallen);
  EXECUTE format('SELECT EXISTS (SELECT FROM %I WHERE recorded_at >= $1 AND recorded_at < $2)', fallen)
    INTO has_fallen USING starts, ends;
  IF has_fallen THEN
    EXECUTE format('ALTER TABLE %I DISABLE TRIGGER USER', fallen);
    EXECUTE format(
      'WITH moved AS (DELETE FROM %I WHERE recorded_at >= $1 AND recorded_at < $2 RETURNING *) INSERT INTO %I TABLE moved',
      fallen, part) USING starts, ends;
    EXECUTE format('ALTER TABLE %I ENABLE TRIGGER USER', fallen);
  END IF;
  EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', parent, part, starts, ends);
END
$function$;

CREATE OR REPLACE FUNCTION make_partitions(days_ahead integer, at_most integer)
 RETURNS integer
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'identity', 'pg_temp'
 SET "TimeZone" TO 'UTC'
 SET lock_timeout TO '100ms'
AS $function$
DECLARE
  made integer := 0;
  grown record;
  missing timestamptz[];
  starts timestamptz;
BEGIN
  IF (days_ahead BETWEEN 0 AND 60) IS NOT TRUE THEN RAISE EXCEPTION 'partitions are made 0 to 60 days ahead'; END IF;
  PERFORM lock_partitions();
  FOR grown IN SELECT name, step FROM partitioned_table ORDER BY name LOOP
    EXECUTE format($wanted$
      SELECT array_agg(at ORDER BY place, at) FROM (
        SELECT at, min(place) AS place FROM (
          SELECT 1 AS place, date_trunc($2, clock_timestamp()) AS at
           UNION ALL
          SELECT 2, date_trunc($2, recorded_at) FROM %I
           UNION ALL
          SELECT 3, generate_series(date_trunc($2, clock_timestamp()), clock_timestamp() + make_interval(days => $3), ('1 ' || $2)::interval)
        ) wanted GROUP BY at) once
       WHERE to_regclass(quote_ident(partition_name($1, $2, at))) IS NULL
      $wanted$, grown.name || '_default') INTO missing USING grown.name, grown.step, days_ahead;
    FOREACH starts IN ARRAY coalesce(missing, '{}') LOOP
      IF made >= at_most THEN RETURN made; END IF;
      PERFORM make_partition(grown.name, grown.step, starts);
      made := made + 1;
    END LOOP;
  END LOOP;
  RETURN made;
END
$function$;

CREATE OR REPLACE FUNCTION partition_name(parent text, step text, starts timestamp with time zone)
 RETURNS text
 LANGUAGE sql
 STABLE
 SET search_path TO 'identity', 'pg_temp'
AS $function$
  SELECT parent || '_p' || to_char(starts, CASE step WHEN 'day' THEN 'YYYYMMDD' ELSE 'YYYYMM' END)
$function$;

CREATE OR REPLACE FUNCTION partition_state()
 RETURNS TABLE(table_name text, ready_until timestamp with time zone, has_fallen boolean)
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'identity', 'pg_temp'
 SET "TimeZone" TO 'UTC'
AS $function$
DECLARE
  grown record;
BEGIN
  FOR grown IN SELECT name, step FROM partitioned_table ORDER BY name LOOP
    table_name := grown.name;
    SELECT min(starts) INTO ready_until
      FROM generate_series(date_trunc(grown.step, clock_timestamp()), clock_timestamp() + interval '1 year', ('1 ' || grown.step)::interval) AS starts
     WHERE to_regclass(quote_ident(partition_name(grown.name, grown.step, starts))) IS NULL;
    EXECUTE format('SELECT EXISTS (SELECT FROM %I)', grown.name || '_default') INTO has_fallen;
    RETURN NEXT;
  END LOOP;
END
$function$;
