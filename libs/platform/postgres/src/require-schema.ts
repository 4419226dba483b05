import { OperatorError } from '@onepool/platform-config';
import type pg from 'pg';
import { grantsFor } from './grants.ts';
import type { Migration } from './migrations.ts';
import { explained, sqlStateOf } from './operator-sentences.ts';
import { type SchemaRights, combineRights } from './rights.ts';
import { readSchemaObjects } from './schema-objects.ts';
import { migrationRights, readAppliedMigrations, readRole } from './schema-state.ts';
import { waitForPostgres } from './wait-for-postgres.ts';
import { withClient } from './with-client.ts';

export interface SchemaDemand {
  /** `DATABASE_URL`. */
  readonly url: string;
  readonly schema: string;
  readonly migrations: readonly Migration[];
  readonly rights: SchemaRights;
  /** How long to wait for a server that is still starting, 30 s unless told. */
  readonly connectTimeoutMs?: number;
}

const MAY_NOT = '42501';
const ADVICE = "run this app's migrate, with DATABASE_OWNER_URL and this DATABASE_URL, then start it again.";

/**
 * Lets an app start only on a schema that has all its migrations, as a role that has all its rights. It changes nothing. A
 * schema of a later release will do, since a migration keeps the release before it working (ADR 0015).
 *
 * @returns what the operator should know all the same: sentences.
 * @throws OperatorError
 */
export async function requireSchema(demand: SchemaDemand): Promise<readonly string[]> {
  const { url, connectTimeoutMs: timeoutMs = 30_000 } = demand;
  try {
    await waitForPostgres({ url, timeoutMs });
    return await withClient(url, (client) => look(client, demand));
  } catch (error) {
    throw explained(error, { url, setting: 'DATABASE_URL' });
  }
}

async function look(client: pg.Client, { schema, migrations, rights }: SchemaDemand): Promise<readonly string[]> {
  const { role, warning } = await readRole(client, schema);
  const applied = await readAppliedMigrations(client, schema).catch((cause: unknown) => {
    if (sqlStateOf(cause) !== MAY_NOT) throw cause;
    throw new OperatorError(`The role ${role} may not use the schema ${schema}: ${ADVICE}`, { cause });
  });
  const own = migrations.map(({ name }) => name);
  const behind = own.filter((name) => !applied?.includes(name));
  if (behind.length > 0)
    throw new OperatorError(`The schema ${schema} lacks ${behind.length} of ${own.length} migrations: ${ADVICE}`);
  const warnings = warning === undefined ? [] : [warning];
  if (applied?.some((name) => !own.includes(name)))
    return [...warnings, `The schema ${schema} is of a later release than this app, which goes on with it.`];
  const objects = await readSchemaObjects(client, schema, role);
  const { missing } = grantsFor(role, combineRights(rights, migrationRights), objects);
  if (warning === undefined && missing.length > 0)
    throw new OperatorError(`The role ${role} lacks rights in the schema ${schema} (${missing.join('; ')}): ${ADVICE}`);
  return warnings;
}
