/** Migrations as they lie in the repository: numbered files of literal SQL, a folder of them for each library with tables. */
import { hash } from 'node:crypto';
import { readFile, readdir } from 'node:fs/promises';
import type { SchemaRights } from '../rights.ts';

/** What one library puts into a schema: its tables, and what an app may do with them. */
export interface SchemaPart {
  /** Leads the names of its migrations, `stock/0001-create`. It never changes, since databases remember it. */
  readonly name: string;
  /** The folder of `0001-create.sql`, `0002-….sql` …: `new URL('./sql/', import.meta.url)`. */
  readonly sql: URL;
  readonly rights: SchemaRights;
}

/** One schema of an app, put together out of the parts of its libraries. */
export interface SchemaDeclaration {
  readonly schema: string;
  /** In the order in which they are applied; no two may have one name. */
  readonly parts: readonly SchemaPart[];
}

export interface Migration {
  readonly name: string;
  readonly sql: string;
  readonly sha256: string;
}

/** `0001-create.sql`. */
export const MIGRATION_FILE = /^(?<number>\d{4})-[a-z0-9]+(?:-[a-z0-9]+)*\.sql$/;

/** Every migration of a schema in the order of application: part by part, each by number. */
export async function readMigrations({ parts }: SchemaDeclaration): Promise<readonly Migration[]> {
  return (await Promise.all(parts.map(readPart))).flat();
}

/** By which a migration is known to be what was applied. Git may give a file the line ends of the machine. */
export const migrationChecksum = (sql: string): string => hash('sha256', sql.replaceAll('\r\n', '\n'));

async function readPart({ name, sql }: SchemaPart): Promise<readonly Migration[]> {
  const files = (await readdir(sql)).filter((file) => MIGRATION_FILE.test(file)).sort();
  return Promise.all(
    files.map(async (file) => {
      const text = await readFile(new URL(file, sql), 'utf8');
      return { name: `${name}/${file.replace(/\.sql$/, '')}`, sql: text, sha256: migrationChecksum(text) };
    }),
  );
}
