/** What is in a schema, and what a role may do with it: effectively, and by grants of its own. */
import type pg from 'pg';

export interface SchemaObject {
  /** What may be done with a partition is asked of its parent; its own rights are for nobody but the owner. */
  readonly kind: 'database' | 'schema' | 'table' | 'partition' | 'sequence' | 'function';
  /** Without schema and parameters. */
  readonly name: string;
  /** As GRANT names it: `TABLE availability.stock`. */
  readonly grantName: string;
  /** What the role may do, by whatever way: its own grants, a group's, PUBLIC's. */
  readonly held: readonly string[];
  /** What was granted to the role itself. */
  readonly granted: readonly string[];
  /** Whether everybody may call the function, as PostgreSQL has it unless told otherwise. */
  readonly isForAll: boolean;
}

const TABLE_RIGHTS = ['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER'];

const heldOf = (test: string, rights: readonly string[]): string =>
  `ARRAY(SELECT p FROM unnest(ARRAY[${rights.map((right) => `'${right}'`).join(', ')}]) AS p WHERE ${test})`;
const grantedOf = (acl: string): string =>
  `ARRAY(SELECT DISTINCT privilege_type FROM aclexplode(${acl}) WHERE grantee = role.oid ORDER BY 1)`;

const OBJECTS = `
  WITH role AS (SELECT oid FROM pg_roles WHERE rolname = $2), space AS (SELECT * FROM pg_namespace WHERE nspname = $1)
  SELECT 'database' AS kind, datname::text AS name, format('DATABASE %I', datname) AS "grantName",
         ${heldOf('has_database_privilege(role.oid, d.oid, p)', ['CONNECT'])} AS held, ARRAY[]::text[] AS granted, false AS "isForAll"
    FROM pg_database d, role WHERE datname = current_database()
   UNION ALL
  SELECT 'schema', nspname, format('SCHEMA %I', nspname),
         ${heldOf('has_schema_privilege(role.oid, space.oid, p)', ['USAGE', 'CREATE'])}, ${grantedOf('nspacl')}, false
    FROM space, role
   UNION ALL
  SELECT CASE WHEN relispartition THEN 'partition' ELSE 'table' END, relname, format('TABLE %I.%I', nspname, relname),
         ${heldOf('has_table_privilege(role.oid, c.oid, p)', TABLE_RIGHTS)}, ${grantedOf('relacl')}, false
    FROM space, role, pg_class c WHERE c.relnamespace = space.oid AND relkind IN ('r', 'p', 'v', 'm', 'f')
   UNION ALL
  SELECT 'sequence', relname, format('SEQUENCE %I.%I', nspname, relname),
         ${heldOf('has_sequence_privilege(role.oid, c.oid, p)', ['USAGE', 'SELECT', 'UPDATE'])}, ${grantedOf('relacl')}, false
    FROM space, role, pg_class c WHERE c.relnamespace = space.oid AND relkind = 'S'
   UNION ALL
  SELECT 'function', proname, format('FUNCTION %I.%I(%s)', nspname, proname, oidvectortypes(proargtypes)),
         ${heldOf('has_function_privilege(role.oid, f.oid, p)', ['EXECUTE'])}, ${grantedOf('proacl')},
         EXISTS (SELECT FROM aclexplode(coalesce(proacl, acldefault('f', proowner))) WHERE grantee = 0)
    FROM space, role, pg_proc f WHERE f.pronamespace = space.oid`;

/** Reads `schema` of the current database with the eyes of `role`; nothing when the role does not exist. */
export async function readSchemaObjects(
  client: Pick<pg.ClientBase, 'query'>,
  schema: string,
  role: string,
): Promise<readonly SchemaObject[]> {
  return (await client.query<SchemaObject>(OBJECTS, [schema, role])).rows;
}
