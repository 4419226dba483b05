-- Who may call: clients, and the keys by which they are known. A key itself is stored nowhere.

CREATE TABLE api_client (
  key integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  id text NOT NULL UNIQUE CHECK (id ~ '^[a-z0-9][a-z0-9._-]{0,63}$'),
  created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE api_key (
  key_sha256 bytea PRIMARY KEY CHECK (octet_length(key_sha256) = 32),
  client_key integer NOT NULL REFERENCES api_client (key),
  scopes text[] NOT NULL CHECK (cardinality(scopes) > 0),
  expires_at timestamptz,
  revoked_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX api_key_client_key ON api_key (client_key);
