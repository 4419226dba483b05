-- What another app has told of its things, kept here so that it can be read and joined without asking.

-- How far each mirror has come. It is built in generations: `generation` is the newest and `readable` the one that is read.
-- The position says, as epoch and sequence of the other app's stream, up to where everything is in; the durable, by the time at
-- which it was made, where the facts since then are kept; the page, which one of the snapshot is to be read next.
CREATE TABLE mirror (
  name text PRIMARY KEY,
  generation bigint NOT NULL CHECK (generation > 0),
  readable bigint CHECK (readable <= generation),
  kinds text[] NOT NULL,
  epoch bigint,
  sequence bigint,
  durable text,
  page_kind text,
  page_cursor text,
  CHECK (num_nulls(epoch, sequence, durable) IN (0, 3)),
  CHECK (page_kind IS NOT NULL OR page_cursor IS NULL)
);

-- A thing as of its version. A value of null is a deletion, which is kept, so that an older fact of it changes nothing. Keys
-- are compared byte by byte: nobody asks for them in the order of a language.
CREATE TABLE mirror_row (
  mirror text NOT NULL,
  generation bigint NOT NULL,
  kind text COLLATE "C" NOT NULL,
  key text COLLATE "C" NOT NULL,
  version bigint NOT NULL,
  value jsonb,
  PRIMARY KEY (mirror, generation, kind, key)
);

-- Everything of a kind that there is; nothing before the mirror was complete for the first time. It is one query without
-- settings of its own, so that PostgreSQL takes it into the query that asks, and finds a key by the index.
CREATE FUNCTION mirrored(of_mirror text, of_kind text) RETURNS TABLE (key text, version bigint, value jsonb)
  LANGUAGE sql STABLE
BEGIN ATOMIC
  SELECT r.key, r.version, r.value FROM mirror_row r
   WHERE r.mirror = of_mirror AND r.kind = of_kind AND r.value IS NOT NULL
     AND r.generation = (SELECT m.readable FROM mirror m WHERE m.name = of_mirror);
END;
