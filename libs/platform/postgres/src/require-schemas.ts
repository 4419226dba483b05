import { OperatorError } from '@onepool/platform-config';
import type pg from 'pg';
import { grantsFor } from './grants.ts';
import { readProgress, rightsOf } from './migrations/applied-migrations.ts';
import { type SchemaDeclaration, readMigrations } from './migrations/migration-files.ts';
import { explained, sqlStateOf } from './operator-sentences.ts';
import { readRole } from './role-facts.ts';
import { readSchemaObjects } from './schema-objects.ts';
import { waitForPostgres } from './wait-for-postgres.ts';
import { withClient } from './with-client.ts';

export interface SchemaDemand {
  /** `DATABASE_URL`. */
  readonly url: string;
  readonly schemas: readonly SchemaDeclaration[];
  /** How long to wait for a server that is still starting, 30 s unless told. */
  readonly connectTimeoutMs?: number;
}

const MAY_NOT = '42501';
const ADVICE = "run this app's migrate, with DATABASE_OWNER_URL and this DATABASE_URL, then start it again.";

/**
 * Lets an app start only on schemas that have all its migrations, unchanged, as a role that has all its rights. It changes
 * nothing. A schema of a later release will do, since a migration keeps the release before it working (ADR 0015).
 *
 * @returns what the operator should know all the same: sentences.
 * @throws OperatorError
 */
export async function requireSchemas(demand: SchemaDemand): Promise<readonly string[]> {
  const { url, schemas, connectTimeoutMs: timeoutMs = 30_000 } = demand;
  try {
    await waitForPostgres({ url, timeoutMs });
    return await withClient(url, async (client) => {
      const warnings = new Set<string>();
      for (const declaration of schemas) for (const warning of await look(client, declaration)) warnings.add(warning);
      return [...warnings];
    });
  } catch (error) {
    throw explained(error, { url, setting: 'DATABASE_URL' });
  }
}

async function look(client: pg.Client, declaration: SchemaDeclaration): Promise<readonly string[]> {
  const { schema } = declaration;
  const { role, warning } = await readRole(client, schema);
  const own = await readMigrations(declaration);
  const { pending, isLater } = await readProgress(client, schema, own).catch((cause: unknown) => {
    if (sqlStateOf(cause) !== MAY_NOT) throw cause;
    throw new OperatorError(`The role ${role} may not use the schema ${schema}: ${ADVICE}`, { cause });
  });
  if (pending.length > 0)
    throw new OperatorError(`The schema ${schema} lacks ${pending.length} of ${own.length} migrations: ${ADVICE}`);
  const warnings = warning === undefined ? [] : [warning];
  if (isLater) return [...warnings, `The schema ${schema} is of a later release than this app, which goes on with it.`];
  const { missing } = grantsFor(role, rightsOf(declaration), await readSchemaObjects(client, schema, role));
  if (warning === undefined && missing.length > 0)
    throw new OperatorError(`The role ${role} lacks rights in the schema ${schema} (${missing.join('; ')}): ${ADVICE}`);
  return warnings;
}
