/** What a schema remembers of the migrations that made it, compared with those that a program brings. */
import { OperatorError } from '@onepool/platform-config';
import pg from 'pg';
import { type SchemaRights, combineRights } from '../rights.ts';
import type { Migration, SchemaDeclaration } from './migration-files.ts';

export const MIGRATION_TABLE = 'migration';

/** What an app may do in a schema. It also compares the migrations that were applied with its own. */
export const rightsOf = ({ parts }: SchemaDeclaration): SchemaRights =>
  combineRights(...parts.map(({ rights }) => rights), { tables: { [MIGRATION_TABLE]: ['SELECT'] } });

interface AppliedMigration {
  readonly name: string;
  readonly sha256: string;
  readonly appliedAt: Date;
}

export interface SchemaProgress {
  readonly pending: readonly Migration[];
  /** Whether it knows migrations that the program does not. */
  readonly isLater: boolean;
  /** Whether nothing was ever applied. */
  readonly isNew: boolean;
}

/** The applied migrations; undefined where nothing was ever applied. @throws 42501 without the right to look. */
async function readApplied(
  client: Pick<pg.ClientBase, 'query'>,
  schema: string,
): Promise<readonly AppliedMigration[] | undefined> {
  const { rows: tables } = await client.query<{ name: string }>(
    `SELECT relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
      WHERE nspname = $1 AND relkind IN ('r', 'p') ORDER BY relname = $2 DESC`,
    [schema, MIGRATION_TABLE],
  );
  if (tables.length === 0) return undefined;
  if (tables[0]?.name !== MIGRATION_TABLE)
    throw new OperatorError(
      `The schema ${schema} has tables, and no record of the migrations that made them: give this app an empty schema.`,
    );
  const { rows } = await client.query<AppliedMigration>(
    `SELECT name, encode(sha256, 'hex') AS sha256, applied_at AS "appliedAt" FROM ${qualified(schema)}`,
  );
  return rows;
}

/**
 * How far the schema is.
 *
 * @throws OperatorError when a migration is not any more what was applied: then nobody knows what the schema is.
 */
export async function readProgress(
  client: Pick<pg.ClientBase, 'query'>,
  schema: string,
  own: readonly Migration[],
): Promise<SchemaProgress> {
  const rows = await readApplied(client, schema);
  const applied = new Map(rows?.map((row) => [row.name, row]));
  for (const { name, sha256 } of own) {
    const before = applied.get(name);
    if (before !== undefined && before.sha256 !== sha256) throw changed(schema, before);
  }
  const names = new Set(own.map(({ name }) => name));
  return {
    pending: own.filter(({ name }) => !applied.has(name)),
    isLater: [...applied.keys()].some((name) => !names.has(name)),
    isNew: rows === undefined,
  };
}

const changed = (schema: string, { name, appliedAt }: AppliedMigration): OperatorError =>
  new OperatorError(
    `The migration ${name}.sql was changed after it was applied to the schema ${schema} on ${appliedAt.toISOString()}: ` +
      `restore the file and put the change into a new one, or give this app an empty schema.`,
  );

/** Makes the table that remembers, in a schema where nothing was applied yet. */
export async function makeMigrationTable(client: pg.ClientBase, schema: string): Promise<void> {
  await client.query(
    `CREATE TABLE ${qualified(schema)} (
       name text PRIMARY KEY,
       sha256 bytea NOT NULL,
       applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
     )`,
  );
}

/** Runs one migration, and remembers it. @throws whatever PostgreSQL says, with file and line. */
export async function apply(client: pg.ClientBase, schema: string, { name, sql, sha256 }: Migration): Promise<void> {
  try {
    await client.query(sql);
  } catch (cause) {
    if (!(cause instanceof pg.DatabaseError)) throw cause;
    const line =
      cause.position === undefined ? '' : `, line ${sql.slice(0, Number(cause.position)).split('\n').length}`;
    const { code } = cause;
    throw Object.assign(new Error(`${name}.sql${line}: ${cause.message}`, { cause }), { code });
  }
  await client.query(`INSERT INTO ${qualified(schema)} (name, sha256) VALUES ($1, decode($2, 'hex'))`, [name, sha256]);
}

const qualified = (schema: string): string => `${pg.escapeIdentifier(schema)}.${MIGRATION_TABLE}`;
