import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createTestDatabase } from '@onepool/testing-servers';
import { describeSchemas } from './describe-schemas.ts';
import { runMigrations } from './migrations/run-migrations.ts';
import { removeWrittenParts, writtenPart } from './spec-support/written-part.ts';

let database: Awaited<ReturnType<typeof createTestDatabase>>;
beforeEach(async () => {
  database = await createTestDatabase();
});
afterEach(async () => {
  removeWrittenParts();
  await database.drop();
});

async function described(sql: string, schema = 'shelves'): Promise<string> {
  const parts = [writtenPart('shelf', { '0001-create': sql }, { tables: {} })];
  await runMigrations({ url: database.ownerUrl, schemas: [{ schema, parts }] });
  return describeSchemas(database.ownerUrl);
}

describe('the description of a schema', () => {
  it('writes tables with their keys, checks, indexes and triggers, then functions, without the name of the schema', async () => {
    const sql = await described(`
      CREATE TABLE shelf (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, label varchar(9) DEFAULT 'a' CHECK (label <> ''),
        upper text GENERATED ALWAYS AS (label || '!') STORED) WITH (fillfactor = 50);
      CREATE TABLE box (shelf bigint REFERENCES shelf);
      CREATE UNIQUE INDEX box_shelf ON box (shelf) WHERE shelf > 0;
      CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$;
      CREATE TRIGGER box_stays BEFORE DELETE ON box EXECUTE FUNCTION refuse();`);
    const [, ...objects] = sql.split('\n\n').filter((text) => !text.includes('TABLE migration'));
    expect(objects).toEqual([
      'CREATE SCHEMA shelves;',
      `CREATE TABLE box (
  shelf bigint,
  CONSTRAINT box_shelf_fkey FOREIGN KEY (shelf) REFERENCES shelf(id)
);
CREATE UNIQUE INDEX box_shelf ON box USING btree (shelf) WHERE shelf > 0;
CREATE TRIGGER box_stays BEFORE DELETE ON box FOR EACH STATEMENT EXECUTE FUNCTION refuse();`,
      `CREATE TABLE shelf (
  id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
  label character varying(9) DEFAULT 'a'::character varying,
  upper text GENERATED ALWAYS AS (label::text || '!'::text) STORED,
  CONSTRAINT shelf_pkey PRIMARY KEY (id),
  CONSTRAINT shelf_label_check CHECK (label::text <> ''::text)
) WITH (fillfactor=50);`,
      `CREATE OR REPLACE FUNCTION refuse()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$ BEGIN RAISE EXCEPTION 'no'; END $function$;\n`,
    ]);
  });

  it('shows how a table is partitioned and its default partition, and no partition that comes and goes', async () => {
    const sql = await described(`
      CREATE TABLE note (at date NOT NULL) PARTITION BY RANGE (at);
      CREATE TABLE note_default PARTITION OF note DEFAULT;
      CREATE TABLE note_2026 PARTITION OF note FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
      CREATE INDEX note_at ON note (at);`);
    expect(sql).toContain(`CREATE TABLE note (
  at date NOT NULL
) PARTITION BY RANGE (at);
CREATE TABLE note_default PARTITION OF note DEFAULT;
CREATE INDEX note_at ON note USING btree (at);`);
    expect(sql).not.toContain('note_2026');
  });

  it('writes views, which name what is in other schemas by its whole name', async () => {
    const sql = await described(`CREATE TABLE shelf (id bigint); CREATE VIEW full_shelf AS SELECT id FROM shelf;
      CREATE VIEW roles AS SELECT rolname FROM pg_catalog.pg_roles`);
    expect(sql).toContain('CREATE VIEW full_shelf AS\n SELECT id\n   FROM shelf;\n\nCREATE VIEW roles AS\n');
  });

  it('is the same for schemas of any name, which follow each other', async () => {
    const [, one] = (await described('CREATE TABLE shelf ()', 'b')).split('CREATE SCHEMA b;');
    const [, other] = (await described('CREATE TABLE shelf ()', 'a')).split('CREATE SCHEMA a;');
    expect(other).toBe(`${one}\nCREATE SCHEMA b;${one}`);
  });

  it.each([
    ['a materialised view', 'CREATE MATERIALIZED VIEW seen AS SELECT 1 AS one', 'seen'],
    ['an enumeration', `CREATE TYPE seen AS ENUM ('a')`, 'seen'],
    ['a type of several columns', 'CREATE TYPE seen AS (a text)', 'seen'],
  ])('says that it cannot describe %s, instead of leaving it out', async (_, sql, name) => {
    await expect(described(sql)).rejects.toThrow(`shelves.${name} is of a kind that cannot be described yet`);
  });
});
