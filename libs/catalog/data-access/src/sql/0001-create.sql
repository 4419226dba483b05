-- The catalogue. Rows are changed and never deleted, because others keep their keys.

CREATE TABLE sku (
  sku_key integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  code text NOT NULL UNIQUE,
  title text,
  gtin text,
  weight_grams integer,
  category text
);

CREATE TABLE node (
  node_key integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  code text NOT NULL UNIQUE,
  name text,
  type text NOT NULL CHECK (type IN ('store', 'warehouse', '3pl', 'dropship', 'micro_fulfillment', 'popup')),
  gln text,
  lat double precision,
  lng double precision,
  time_zone text NOT NULL DEFAULT 'UTC',
  daily_capacity integer,
  active_from timestamptz,
  active_to timestamptz
);

CREATE TABLE channel (
  channel_key integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  code text NOT NULL UNIQUE,
  name text,
  type text NOT NULL CHECK (type IN ('web', 'marketplace', 'pos', 'endless_aisle', 'b2b')),
  -- Null is all of them, and an empty list none.
  node_types text[],
  nodes text[]
);

CREATE TABLE threshold (
  threshold_key integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  scope text NOT NULL CHECK (scope IN ('node', 'network')),
  channel_key integer REFERENCES channel,
  node_key integer REFERENCES node,
  sku_key integer REFERENCES sku,
  -- 0 where the rule was removed.
  quantity integer NOT NULL CHECK (quantity >= 0),
  UNIQUE NULLS NOT DISTINCT (scope, channel_key, node_key, sku_key)
);

-- Steps with every change of who may sell what from where; whoever remembers rules compares it.
CREATE TABLE catalog_epoch (
  singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
  epoch bigint NOT NULL
);

INSERT INTO catalog_epoch (epoch) VALUES (1);
