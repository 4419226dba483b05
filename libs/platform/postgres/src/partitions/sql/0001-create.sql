-- Partitions of tables that grow for ever, by the time at which a row was recorded.
--
-- A partition is made ahead of its time; what has none falls into the default one, and is moved when its own is made. Days and
-- months are those of UTC. Everything here works with the owner's rights, because the app's role makes no tables (ADR 0015);
-- callers give numbers only.

-- Filled by migrations: a table that is PARTITION BY RANGE (recorded_at) and has a default partition `<name>_default`.
CREATE TABLE partitioned_table (
  name text PRIMARY KEY,
  step text NOT NULL CHECK (step IN ('day', 'month'))
);

-- `outbox_p20261126`, `ledger_p202611`. Call it where the session's time zone is UTC.
CREATE FUNCTION partition_name(parent text, step text, starts timestamptz) RETURNS text LANGUAGE sql STABLE
  SET search_path FROM CURRENT AS $$
  SELECT parent || '_p' || to_char(starts, CASE step WHEN 'day' THEN 'YYYYMMDD' ELSE 'YYYYMM' END)
$$;

-- Whoever makes or drops partitions does so alone: one locks the default partition first, the other the table.
CREATE FUNCTION lock_partitions() RETURNS void LANGUAGE sql SET search_path FROM CURRENT AS $$
  SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || '.partitions', 0))
$$;

-- Makes one partition. The default one is locked first, since attaching locks it anyway: rows that wait there are moved, and
-- none can come between. Statement triggers are not inherited, so those of the parent, which guard it, are copied; the move
-- itself has to pass them.
CREATE FUNCTION make_partition(parent text, step text, starts timestamptz) RETURNS void LANGUAGE plpgsql
  SET search_path FROM CURRENT AS $$
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
$$;

-- Makes partitions that are missing, `at_most` so many, and answers how many it made: first that of the present, then those of
-- rows that fell into the default one, then up to `days_ahead`. Who waits for a lock keeps writers waiting behind it, so that
-- ends soon, with 55P03: ask again.
CREATE FUNCTION make_partitions(days_ahead integer, at_most integer) RETURNS integer LANGUAGE plpgsql
  SECURITY DEFINER SET search_path FROM CURRENT SET timezone = 'UTC' SET lock_timeout = '100ms' AS $$
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
$$;

-- How far each table has partitions from now on without a gap, up to a year, and whether rows fell into the default one.
CREATE FUNCTION partition_state() RETURNS TABLE (table_name text, ready_until timestamptz, has_fallen boolean) LANGUAGE plpgsql
  SECURITY DEFINER SET search_path FROM CURRENT SET timezone = 'UTC' AS $$
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
$$;
