-- Who may do what. The owner of the schema changes it; the app reads it, and notes which keys are used.

-- Which state this is. The epoch steps with every change, in the transaction of the change, and whoever remembers rights
-- compares it. The incarnation is made anew when the tables are restored from a backup, since the epoch then goes back.
CREATE TABLE identity_version (
  singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
  incarnation uuid NOT NULL DEFAULT gen_random_uuid(),
  epoch bigint NOT NULL DEFAULT 1
);

INSERT INTO identity_version DEFAULT VALUES;

-- Whom the last steps concerned; without principals, anybody.
CREATE TABLE identity_step (
  epoch bigint PRIMARY KEY,
  principals text[],
  recorded_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- A named set of scopes.
CREATE TABLE role (
  role_key integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name text NOT NULL UNIQUE,
  scopes text[] NOT NULL
);

-- A person or a service. Limits are codes of the catalogue; without them all nodes or channels, those to come included. Several
-- persons may have one name, and one whose name was erased has none; its id stays, for ledger and facts name it.
CREATE TABLE principal (
  principal_key integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  id text NOT NULL UNIQUE,
  kind text NOT NULL CHECK (kind IN ('person', 'service')),
  name text,
  scopes text[] NOT NULL,
  nodes text[],
  channels text[],
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  disabled_at timestamptz,
  CONSTRAINT only_the_disabled_are_erased CHECK (name IS NOT NULL OR (kind = 'person' AND disabled_at IS NOT NULL))
);

CREATE INDEX principal_name ON principal (name);
CREATE UNIQUE INDEX principal_service_name ON principal (name) WHERE kind = 'service';

CREATE TABLE principal_role (
  principal_key integer NOT NULL REFERENCES principal,
  role_key integer NOT NULL REFERENCES role,
  PRIMARY KEY (principal_key, role_key)
);

-- A key is never more than its principal; what it leaves out is as its principal has it. Only its SHA-256 is kept.
CREATE TABLE api_key (
  key_sha256 bytea PRIMARY KEY CHECK (octet_length(key_sha256) = 32),
  id text NOT NULL UNIQUE,
  principal_key integer NOT NULL REFERENCES principal,
  scopes text[],
  nodes text[],
  channels text[],
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  expires_at timestamptz,
  revoked_at timestamptz
);

CREATE INDEX api_key_principal ON api_key (principal_key);

-- Apart from the keys, because the app writes it.
CREATE TABLE api_key_use (
  key_sha256 bytea PRIMARY KEY,
  last_used_on date NOT NULL
);
