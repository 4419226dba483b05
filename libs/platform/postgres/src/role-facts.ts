/** What a role is to a schema. */
import type pg from 'pg';

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
