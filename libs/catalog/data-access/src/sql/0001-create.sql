-- The catalogue. Rows are changed and never deleted, because others keep their keys. Lists that are read whole are json, kept
-- as they were told.

CREATE TABLE sku (
  sku_key integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  code text NOT NULL UNIQUE,
  title text,
  gtin text,
  identifiers json,
  -- Every GTIN among them, of 14 digits.
  gtins text[] NOT NULL DEFAULT '{}',
  weight_grams integer,
  length_mm integer,
  width_mm integer,
  height_mm integer,
  category text,
  brand text,
  tax_class text,
  supplier_cost bigint,
  supplier_cost_currency text,
  lead_time_days integer
);

CREATE INDEX sku_gtins ON sku USING gin (gtins);

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
  active_to timestamptz,
  legal_entity text,
  brand text,
  groups text[],
  -- Null is all of them, and an empty list none.
  fulfilment_types text[],
  opening_hours json,
  holidays json,
  cut_offs json,
  carrier_services json
);

CREATE TABLE channel (
  channel_key integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  code text NOT NULL UNIQUE,
  name text,
  type text NOT NULL CHECK (type IN ('web', 'marketplace', 'pos', 'endless_aisle', 'b2b')),
  -- Null is all of them, and an empty list none.
  node_types text[],
  nodes text[],
  legal_entity text,
  brand text,
  currency text
);

-- What may not be shipped from where, or sold where. Null is all of them, and an empty list none.
CREATE TABLE eligibility_rule (
  rule_key integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  code text NOT NULL UNIQUE,
  forbids text NOT NULL CHECK (forbids IN ('ship', 'sell')),
  skus text[],
  nodes text[],
  channels text[],
  reason text
);

-- Units that are kept for a group of channels: so many for each SKU and node, or a share of what is there. Null SKUs or nodes are
-- all of them. A quantity of 0 keeps nothing: the fence was lifted. `fence_key` is what use is counted by; a fence that keeps
-- something else, or for others, has another, and nothing of it is used.
CREATE SEQUENCE fence_key AS integer;

CREATE TABLE fence (
  rule_key integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  code text NOT NULL UNIQUE,
  fence_key integer NOT NULL UNIQUE,
  skus text[],
  nodes text[],
  channels text[] NOT NULL,
  quantity integer,
  share_percent integer,
  until timestamptz,
  reason text,
  CHECK (num_nonnulls(quantity, share_percent) = 1)
);

CREATE FUNCTION set_fence_anew() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  NEW.fence_key := nextval('fence_key');
  RETURN NEW;
END
$$;

CREATE TRIGGER fence_is_made BEFORE INSERT ON fence FOR EACH ROW EXECUTE FUNCTION set_fence_anew();
CREATE TRIGGER fence_is_set_anew BEFORE UPDATE ON fence FOR EACH ROW
  WHEN ((OLD.quantity, OLD.share_percent, OLD.channels) IS DISTINCT FROM (NEW.quantity, NEW.share_percent, NEW.channels))
  EXECUTE FUNCTION set_fence_anew();

-- Where nothing more is promised. Null is all of them, and an empty list none; `none` is a stop that was lifted.
CREATE TABLE stop_rule (
  rule_key integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  code text NOT NULL UNIQUE,
  mode text NOT NULL CHECK (mode IN ('stop', 'drain', 'none')),
  nodes text[],
  channels text[],
  until timestamptz,
  reason text
);

-- How many units of a SKU may be promised that have not come yet, and of which nothing is known to come. Null SKUs are all of them; null
-- nodes are any, under one cap together.
CREATE TABLE allowance (
  rule_key integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  code text NOT NULL UNIQUE,
  skus text[],
  nodes text[],
  cap integer NOT NULL CHECK (cap >= 0),
  reason text
);

-- Whether units that arrive are for sale at once, or have to be inspected before. Null is every node, and every reason.
CREATE TABLE receipt_policy (
  rule_key integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  code text NOT NULL UNIQUE,
  to_state text NOT NULL CHECK (to_state IN ('available', 'quality_control', 'none')),
  nodes text[],
  reasons text[],
  inspect_within_hours integer NOT NULL CHECK (inspect_within_hours > 0)
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

-- An empty list where they were removed. That periods do not overlap is checked before they are written.
CREATE TABLE price (
  price_key integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  sku_key integer NOT NULL REFERENCES sku,
  channel_key integer NOT NULL REFERENCES channel,
  currency text NOT NULL,
  periods json NOT NULL,
  UNIQUE (sku_key, channel_key, currency)
);

-- Steps with every change of who may sell what from where; whoever remembers rules compares it.
CREATE TABLE catalog_epoch (
  singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
  epoch bigint NOT NULL
);

INSERT INTO catalog_epoch (epoch) VALUES (1);
