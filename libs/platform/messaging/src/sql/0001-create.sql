-- Facts on their way out, and facts of others that have taken effect.

-- Facts in the order in which they are told. Append-only. The identity must not cache values (CACHE 1): the relay reads
-- the sequence to know which ids have been given out. `data` is kept as it was told, since it is written once and read whole.
CREATE TABLE outbox (
  id bigint GENERATED ALWAYS AS IDENTITY (SEQUENCE NAME outbox_id_seq CACHE 1) PRIMARY KEY,
  partition smallint NOT NULL CHECK (partition >= 0),
  key text NOT NULL,
  subject text NOT NULL,
  event_id text NOT NULL,
  type text NOT NULL,
  source text NOT NULL,
  time timestamptz NOT NULL,
  trace text,
  data json NOT NULL,
  recorded_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE INDEX outbox_partition_id ON outbox (partition, id);

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

-- Which consumer has taken which fact into effect.
CREATE TABLE inbox (
  consumer text NOT NULL,
  event_id text NOT NULL,
  received_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (consumer, event_id)
);

CREATE INDEX inbox_received_at ON inbox (received_at);
