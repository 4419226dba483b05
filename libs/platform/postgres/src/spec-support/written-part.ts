import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { SchemaPart } from '../migrations/migration-files.ts';
import type { SchemaRights } from '../rights.ts';

const written: string[] = [];

/** Migrations by name, `{ '0001-create': 'CREATE TABLE …' }`, as a library has them in its folder. */
export function writtenPart(name: string, files: Readonly<Record<string, string>>, rights: SchemaRights): SchemaPart {
  const folder = mkdtempSync(join(tmpdir(), 'onepool-sql-'));
  written.push(folder);
  for (const [file, sql] of Object.entries(files)) writeFileSync(join(folder, `${file}.sql`), sql);
  return { name, sql: pathToFileURL(`${folder}/`), rights };
}

export function removeWrittenParts(): void {
  for (const folder of written.splice(0)) rmSync(folder, { recursive: true });
}
