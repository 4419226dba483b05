/**
 * Schemas as they are, as SQL to be read: whoever wants to know what the migrations add up to need not add them up. It comes
 * out of the catalogue, so it tells the truth about a database, and equal schemas give equal text.
 *
 * Left out: grants, which `SchemaRights` declare, and single partitions but for the default one, because they come and go
 * with time. Materialised views, types and domains are not known here until a migration makes one; then this throws.
 */
import pg from 'pg';
import { MIGRATION_TABLE } from './migrations/applied-migrations.ts';
import { withClient } from './with-client.ts';

/** Of the column `a` with its default `d`. */
const COLUMN = `concat_ws(' ', quote_ident(attname), format_type(atttypid, atttypmod),
    CASE WHEN attnotnull THEN 'NOT NULL' END,
    CASE WHEN attidentity <> '' THEN 'GENERATED ' || CASE attidentity WHEN 'a' THEN 'ALWAYS' ELSE 'BY DEFAULT' END || ' AS IDENTITY' END,
    CASE WHEN attgenerated = 's' THEN 'GENERATED ALWAYS AS (' || pg_get_expr(adbin, adrelid, true) || ') STORED'
         WHEN adbin IS NOT NULL THEN 'DEFAULT ' || pg_get_expr(adbin, adrelid, true) END)`;

/** What is written of one table, view, function or sequence, and after what: kinds in an order of their own, names in theirs. */
const OBJECTS = `
  WITH space AS (SELECT oid, nspname FROM pg_namespace WHERE nspname = $1),
  relation AS (SELECT c.* FROM pg_class c JOIN space ON relnamespace = space.oid)
  SELECT 1 AS kind, relname::text AS name,
         format('CREATE SEQUENCE %I AS %s INCREMENT BY %s CACHE %s;', relname, format_type(seqtypid, NULL), seqincrement, seqcache) AS sql
    FROM relation JOIN pg_sequence ON seqrelid = oid
   WHERE NOT EXISTS (SELECT FROM pg_depend WHERE objid = relation.oid AND classid = 'pg_class'::regclass AND deptype IN ('a', 'i'))
   UNION ALL
  SELECT 2, relname,
         concat('CREATE TABLE ', quote_ident(relname), E' (\\n',
           (SELECT string_agg('  ' || line, E',\\n' ORDER BY place, rank, line) FROM (
              SELECT 1 AS place, attnum AS rank, ${COLUMN} AS line
                FROM pg_attribute a LEFT JOIN pg_attrdef d ON adrelid = attrelid AND adnum = attnum
               WHERE attrelid = t.oid AND attnum > 0 AND NOT attisdropped
               UNION ALL
              SELECT 2, position(contype IN 'puxfc'), format('CONSTRAINT %I %s', conname, pg_get_constraintdef(oid, true))
                FROM pg_constraint WHERE conrelid = t.oid AND contype IN ('p', 'u', 'x', 'f', 'c')) lines),
           E'\\n)', ' PARTITION BY ' || pg_get_partkeydef(oid),
           ' WITH (' || array_to_string(reloptions, ', ') || ')', ';',
           (SELECT string_agg(E'\\n' || line || ';', '' ORDER BY place, line) FROM (
              SELECT 1 AS place, format('CREATE TABLE %I PARTITION OF %I DEFAULT', p.relname, t.relname) AS line
                FROM pg_partitioned_table JOIN pg_class p ON p.oid = partdefid WHERE partrelid = t.oid
               UNION ALL
              SELECT 2, replace(pg_get_indexdef(indexrelid, 0, true), ' ON ONLY ', ' ON ')
                FROM pg_index WHERE indrelid = t.oid AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)
               UNION ALL
              SELECT 3, pg_get_triggerdef(oid, true) FROM pg_trigger WHERE tgrelid = t.oid AND NOT tgisinternal) more))
    FROM relation t WHERE relkind IN ('r', 'p') AND NOT relispartition
   UNION ALL
  SELECT 3, relname, format(E'CREATE VIEW %I AS\\n%s', relname, pg_get_viewdef(oid, true)) FROM relation WHERE relkind = 'v'
   UNION ALL
  SELECT 4, proname, replace(rtrim(pg_get_functiondef(f.oid), E'\\n'), format(' %I.%I(', nspname, proname), format(' %I(', proname)) || ';'
    FROM pg_proc f JOIN space ON pronamespace = space.oid
   UNION ALL
  SELECT 9, relname, NULL FROM relation WHERE relkind NOT IN ('r', 'p', 'v', 'i', 'I', 'S')
   UNION ALL
  SELECT 9, typname, NULL FROM pg_type t JOIN space ON typnamespace = space.oid
   WHERE typtype NOT IN ('b', 'c', 'p') OR typtype = 'c' AND NOT EXISTS (SELECT FROM relation WHERE relation.oid = typrelid)
   ORDER BY kind, name, sql`;

const HEAD = `-- What the migrations add up to, to be read, not run. Written by \`npm run onepool -- schema write\`.\n`;

/** Every schema of a database that was made by migrations. @throws for an object of a kind that it cannot describe. */
export function describeSchemas(url: string): Promise<string> {
  return withClient(url, async (client) => {
    const { rows } = await client.query<{ schema: string }>(
      `SELECT nspname AS schema FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE relname = $1 AND relkind = 'r' ORDER BY 1`,
      [MIGRATION_TABLE],
    );
    const described: string[] = [];
    for (const { schema } of rows) described.push(await describeSchema(client, schema));
    return [HEAD, ...described].join('\n');
  });
}

async function describeSchema(client: pg.ClientBase, schema: string): Promise<string> {
  const name = pg.escapeIdentifier(schema);
  // Names inside the schema are then written without it, whoever asks.
  await client.query(`SET search_path TO ${name}, pg_temp`);
  const { rows } = await client.query<{ name: string; sql: string | null }>(OBJECTS, [schema]);
  const objects = rows.map(({ name: object, sql }) => {
    if (sql === null) throw new Error(`${schema}.${object} is of a kind that cannot be described yet`);
    return sql;
  });
  return `${[`CREATE SCHEMA ${schema};`, ...objects].join('\n\n')}\n`;
}
