/** Where a schema is: which migrations it has seen, and what the role that looks may do with it. */
import pg from 'pg';
import type { SchemaRights } from './rights.ts';

export const MIGRATIONS_TABLE = 'migrations';
/** The app compares the migrations that were applied with its own. */
export const migrationRights: SchemaRights = { tables: { [MIGRATIONS_TABLE]: ['SELECT'] } };

/** Names of the applied migrations; undefined where there are none to be read. @throws 42501 without the right to. */
export async function readAppliedMigrations(
  client: Pick<pg.ClientBase, 'query'>,
  schema: string,
): Promise<readonly string[] | undefined> {
  const { rowCount } = await client.query(
    'SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname = $1 AND relname = $2',
    [schema, MIGRATIONS_TABLE],
  );
  if (rowCount === 0) return undefined;
  const { rows } = await client.query<{ name: string }>(
    `SELECT name FROM ${pg.escapeIdentifier(schema)}.${MIGRATIONS_TABLE} ORDER BY timestamp`,
  );
  return rows.map(({ name }) => name);
}

export interface RoleFacts {
  readonly role: string;
  /** Why no right can be kept from it, as a sentence; undefined when all is as it should be. */
  readonly warning: string | undefined;
}

/** Facts of `role`, or of the session's own. */
export async function readRole(
  client: Pick<pg.ClientBase, 'query'>,
  schema: string,
  role?: string,
): Promise<RoleFacts> {
  const { rows } = await client.query<{ role: string; isSuperuser: boolean; isOwner: boolean }>(
    `SELECT rolname AS role, rolsuper AS "isSuperuser",
            EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
                     WHERE nspname = $1 AND relkind IN ('r', 'p') AND pg_has_role(r.oid, relowner, 'USAGE')) AS "isOwner"
       FROM pg_roles r WHERE rolname = coalesce($2, current_user)`,
    [schema, role ?? null],
  );
  const { role: name = '', isSuperuser = false, isOwner = false } = rows[0] ?? {};
  if (!isSuperuser && !isOwner) return { role: name, warning: undefined };
  const what = isSuperuser ? 'is a superuser' : `owns the tables of the schema ${schema}`;
  const warning =
    `The app's role ${name} ${what}, so the app could change and drop what it should only fill: give DATABASE_URL a role of its own, ` +
    `keep this one in DATABASE_OWNER_URL, and migrate.`;
  return { role: name, warning };
}
