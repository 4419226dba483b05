import { OperatorError } from '@onepool/platform-config';
import pg from 'pg';
import { grantsFor } from '../grants.ts';
import { explained } from '../operator-sentences.ts';
import type { SchemaRights } from '../rights.ts';
import { findOrMakeRole } from '../runtime-role.ts';
import { readSchemaObjects } from '../schema-objects.ts';
import { readRole } from '../role-facts.ts';
import { waitForPostgres } from '../wait-for-postgres.ts';
import { apply, makeMigrationTable, readProgress, rightsOf } from './applied-migrations.ts';
import { type SchemaDeclaration, readMigrations } from './migration-files.ts';

export interface MigrationOptions {
  /** Of the role that owns the schemas, `DATABASE_OWNER_URL`. Of the server itself: the lock lives in the session. */
  readonly url: string;
  /** Brought up to date one after the other. Each is created if absent, and is the `search_path` of its migrations. */
  readonly schemas: readonly SchemaDeclaration[];
  /** Whom the app logs in as, `DATABASE_URL`. Without it nothing is granted. */
  readonly runtimeUrl?: string;
  /** How long to wait for a server that is still starting, 30 s unless told. */
  readonly connectTimeoutMs?: number;
}

export interface MigrationReport {
  readonly schema: string;
  /** The migrations that this call applied. */
  readonly applied: readonly string[];
  /** The app's role, if one was named and the schema is not of a later release. */
  readonly role: string | undefined;
  /** GRANT and REVOKE as they were run. */
  readonly grants: readonly string[];
  /** Why nothing was granted, if the role needs nothing: a sentence. */
  readonly warning: string | undefined;
}

/**
 * Brings the schemas of an app up to date as their owner, and gives the app's role exactly the rights that are declared
 * (ADR 0015).
 *
 * Any number of callers may be at it at once: a session advisory lock derived from the schema's name lets one through
 * at a time, and those behind find nothing left to do. The lock and the migrations share one session, so a lock that is
 * lost takes the migrations with it. A role that is made, pending migrations and grants are one transaction: if one fails,
 * none is applied. A schema that knows migrations of a later release is left as it is.
 *
 * Each schema is a transaction of its own, because a module may move out with its own; one may have views of those before it.
 * One that fails leaves those before it whole, and the next call goes on where this one ended.
 *
 * @throws OperatorError, a sentence, for whatever the operator or a database administrator has to mend.
 */
export async function runMigrations(options: MigrationOptions): Promise<readonly MigrationReport[]> {
  const { url, schemas, runtimeUrl, connectTimeoutMs: timeoutMs = 30_000 } = options;
  const setting = runtimeUrl === url ? 'DATABASE_URL' : 'DATABASE_OWNER_URL';
  const reports: MigrationReport[] = [];
  try {
    await waitForPostgres({ url, timeoutMs });
    for (const declaration of schemas) {
      reports.push(await onOwnSession(url, declaration, (client) => migrateUnderLock(client, declaration, runtimeUrl)));
    }
  } catch (error) {
    throw explained(error, { url, setting });
  }
  return reports;
}

/** Without a limit of time, unlike other work on one session: a migration takes as long as its tables are large. */
async function onOwnSession<T>(
  url: string,
  { schema }: SchemaDeclaration,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = new pg.Client({ connectionString: url, application_name: `${schema}-migrations` });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return await work(client);
  } finally {
    // Ending the session also releases the advisory lock, whatever happened before.
    await client.end().catch(() => undefined);
  }
}

async function migrateUnderLock(
  client: pg.Client,
  declaration: SchemaDeclaration,
  runtimeUrl: string | undefined,
): Promise<MigrationReport> {
  const { schema } = declaration;
  await client.query('SELECT pg_advisory_lock(hashtextextended($1, 0))', [`onepool.migrations.${schema}`]);
  const { pending, isLater, isNew } = await readProgress(client, schema, await readMigrations(declaration));
  if (isLater) {
    const warning = `The schema ${schema} is of a later release; it was left as it is.`;
    return { schema, applied: [], role: undefined, grants: [], warning };
  }
  await client.query('BEGIN');
  try {
    const role = runtimeUrl && (await findOrMakeRole(client, { url: runtimeUrl, setting: 'DATABASE_URL' }));
    await makeSchema(client, schema);
    if (isNew) await makeMigrationTable(client, schema);
    for (const migration of pending) await apply(client, schema, migration);
    const granted = role
      ? await grant(client, schema, role, rightsOf(declaration))
      : { grants: [], warning: undefined };
    await client.query('COMMIT');
    return { schema, applied: pending.map(({ name }) => name), role, ...granted };
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}

/**
 * `IF NOT EXISTS` asks for the right to create a schema even where there is one. The path comes without `pg_catalog`, which
 * is then looked through first, and with temporary tables last: a function takes it over with `SET search_path FROM CURRENT`.
 */
async function makeSchema(client: pg.ClientBase, schema: string): Promise<void> {
  const name = pg.escapeIdentifier(schema);
  const { rowCount } = await client.query('SELECT FROM pg_namespace WHERE nspname = $1', [schema]);
  if (rowCount === 0) await client.query(`CREATE SCHEMA ${name}`);
  await client.query(`SET LOCAL search_path TO ${name}, pg_temp`);
}

async function grant(
  client: pg.ClientBase,
  schema: string,
  role: string,
  rights: SchemaRights,
): Promise<Pick<MigrationReport, 'grants' | 'warning'>> {
  const { warning } = await readRole(client, schema, role);
  if (warning !== undefined) return { grants: [], warning };
  const compare = async () => grantsFor(role, rights, await readSchemaObjects(client, schema, role));
  const { missing, excess } = await compare();
  const grants = [...excess, ...missing];
  try {
    for (const statement of grants) await client.query(statement);
  } catch (cause) {
    throw needsAdministrator(grants, cause);
  }
  // Whoever may not grant is often told so by a notice only.
  const left = (await compare()).missing;
  if (left.length > 0) throw needsAdministrator(left, undefined);
  return { grants, warning };
}

const needsAdministrator = (statements: readonly string[], cause: unknown): OperatorError =>
  new OperatorError(
    `The role of DATABASE_OWNER_URL may not grant what the app needs: have a database administrator run ` +
      `${statements.map((statement) => `${statement};`).join(' ')} then migrate again. Nothing was changed.`,
    { cause },
  );
