-- Work that is due once a transaction has committed: a row is written with what decided on it, before any call is made.

CREATE TABLE task (
  -- Made by whoever writes the row, and sent with every call: the other side knows a repetition by it.
  id uuid PRIMARY KEY,
  -- In the order of writing, as long as whoever writes tasks of one key holds a lock on what they are about.
  position bigint GENERATED ALWAYS AS IDENTITY,
  kind text NOT NULL,
  -- Tasks of one key run one at a time, in order.
  key text NOT NULL,
  payload json NOT NULL,
  state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'done', 'refused', 'given_up')),
  -- What is under way, and in which state an undoing ends.
  phase text NOT NULL DEFAULT 'run' CHECK (phase IN ('run', 'undo')),
  ending text CHECK (ending IN ('refused', 'given_up')),
  attempts integer NOT NULL DEFAULT 0,
  due_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  -- Not tried any more from then on; an undoing has no end but success.
  deadline_at timestamptz,
  lease uuid,
  lease_until timestamptz NOT NULL DEFAULT '-infinity',
  -- Why the last attempt did not end it, or what was answered.
  note text,
  -- Principals: who caused it, and on whose behalf.
  actor text,
  person text,
  trace text,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  ended_at timestamptz
) WITH (fillfactor = 70);

CREATE INDEX task_due ON task (due_at) WHERE state = 'open';
CREATE INDEX task_of_key ON task (key, position) WHERE state = 'open';
CREATE INDEX task_ended ON task (ended_at) WHERE state <> 'open';
