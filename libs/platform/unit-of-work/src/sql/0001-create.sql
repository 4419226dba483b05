-- What units of work lock and step: a row for each aggregate that was ever locked. `key` is also the partition key of its
-- facts, `order/<id>`. It is compared byte by byte, so that every program sorts keys alike.
CREATE TABLE aggregate (
  key text COLLATE "C" PRIMARY KEY,
  version bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 70);
