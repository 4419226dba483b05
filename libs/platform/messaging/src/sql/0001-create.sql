-- Facts on their way out, and facts of others that have taken effect.

-- Facts in the order in which they are told, a partition for each day, so that old days go whole. Append-only. The identity
-- must not cache values (CACHE 1): the relay reads the sequence to know which ids have been given out. It also is what makes
-- an id unique, since the key of a partitioned table has to name the time. `data` is kept as it was told, since it is written
-- once and read whole.
CREATE TABLE outbox (
  id bigint GENERATED ALWAYS AS IDENTITY (SEQUENCE NAME outbox_id_seq CACHE 1),
  partition smallint NOT NULL CHECK (partition >= 0),
  key text NOT NULL,
  subject text NOT NULL,
  event_id text NOT NULL,
  type text NOT NULL,
  source text NOT NULL,
  time timestamptz NOT NULL,
  trace text,
  data json NOT NULL,
  recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (id, recorded_at)
) PARTITION BY RANGE (recorded_at);

CREATE INDEX outbox_partition_id ON outbox (partition, id);
CREATE TABLE outbox_default PARTITION OF outbox DEFAULT;
INSERT INTO partitioned_table (name, step) VALUES ('outbox', 'day');
SELECT make_partitions(14, 1000);

-- A row for each partition of the outbox: who relays it (owner, epoch, lease), up to where it is certain that nothing is
-- missing (`low`), and what the stream acknowledged, so that a loss in the stream is noticed.
CREATE TABLE relay_cursor (
  partition smallint PRIMARY KEY,
  owner text,
  epoch bigint NOT NULL DEFAULT 0,
  lease_until timestamptz NOT NULL DEFAULT '-infinity',
  low bigint NOT NULL DEFAULT 0,
  stream_created timestamptz,
  stream_seq bigint NOT NULL DEFAULT 0,
  stream_event_id text,
  checkpoints jsonb NOT NULL DEFAULT '[]'
);

-- How often a relay has found the stream short of facts that it had acknowledged, in one row: a sequence of the stream says
-- something within one epoch only. Each fact carries the epoch in which it was published.
CREATE TABLE relay_stream (
  is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
  epoch bigint NOT NULL DEFAULT 1 CHECK (epoch > 0)
);

INSERT INTO relay_stream DEFAULT VALUES;

-- Which consumer has taken which fact into effect.
CREATE TABLE inbox (
  consumer text NOT NULL,
  event_id text NOT NULL,
  received_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (consumer, event_id)
);

CREATE INDEX inbox_received_at ON inbox (received_at);

-- Drops the oldest day of the outbox that is over for `keep_days` and published, and answers its name; null where there is
-- none. JetStream is rebuilt from the outbox, which therefore keeps at least as many days as the stream does.
--
-- A day is published when no relay has any of it before itself: a relay that is behind keeps the day, and does not keep others
-- that it is through with. Dropping locks the whole outbox for a moment, so the wait for that ends soon, with 55P03: ask again.
CREATE FUNCTION drop_outbox_day(keep_days integer) RETURNS text LANGUAGE plpgsql
  SECURITY DEFINER SET search_path FROM CURRENT SET timezone = 'UTC' SET lock_timeout = '100ms' AS $$
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
$$;

-- A few looks into the index: the partitions that there are, one after the other, and the highest id of each.
CREATE FUNCTION is_outbox_day_published(part text) RETURNS boolean LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
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
$$;
