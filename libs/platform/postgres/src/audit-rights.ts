import type pg from 'pg';
import { rightsOf } from './migrations/applied-migrations.ts';
import type { SchemaDeclaration } from './migrations/migration-files.ts';
import { rightsOfTable } from './rights.ts';
import { readSchemaObjects } from './schema-objects.ts';

/**
 * Holds a declaration against a migrated schema, for a spec of every app: sentences about tables for which no right is
 * declared, declared names that do not exist, and functions with their owner's rights that a caller could lead astray.
 *
 * @example expect(await auditRights(client, declaration)).toEqual([]);
 */
export async function auditRights(
  client: Pick<pg.ClientBase, 'query'>,
  declaration: SchemaDeclaration,
): Promise<readonly string[]> {
  const { rows } = await client.query<{ role: string; isDefinerLoose: string[] }>(
    `SELECT current_user AS role, ARRAY(
       SELECT proname::text FROM pg_proc f JOIN pg_namespace n ON n.oid = pronamespace
        WHERE nspname = $1 AND prosecdef AND NOT coalesce(format('search_path=%I, pg_temp', nspname) = ANY (proconfig), false)) AS "isDefinerLoose"`,
    [declaration.schema],
  );
  const [{ role = '', isDefinerLoose = [] } = {}] = rows;
  const all = rightsOf(declaration);
  const objects = await readSchemaObjects(client, declaration.schema, role);
  const namesOf = (...kinds: readonly string[]): readonly string[] =>
    objects.filter(({ kind }) => kinds.includes(kind)).map(({ name }) => name);
  const isThere = (declared: string, found: readonly string[]): boolean =>
    found.some((name) => name === declared || (declared.endsWith('*') && name.startsWith(declared.slice(0, -1))));
  const declared = [
    ...Object.keys(all.tables).map((name) => ['table', name] as const),
    ...Object.keys(all.sequences ?? {}).map((name) => ['sequence', name] as const),
    ...(all.functions ?? []).map((name) => ['function', name] as const),
  ];
  return [
    ...namesOf('table')
      .filter((name) => rightsOfTable(all, name) === undefined)
      .map((name) => `no right is declared for the table ${name}`),
    ...declared
      .filter(([kind, name]) => !isThere(name, namesOf(kind)))
      .map(([kind, name]) => `rights are declared for a ${kind} ${name}, which does not exist`),
    ...objects
      .filter(({ kind, granted }) => kind === 'partition' && granted.length > 0)
      .map(({ name }) => `rights were granted on the partition ${name}: its parent's are enough`),
    ...isDefinerLoose.map((name) => `the function ${name} has its owner's rights and no fixed search_path`),
  ];
}
