/** The difference between what a role may do and what is declared for it, as SQL. */
import pg from 'pg';
import { type SchemaRights, rightsOfTable } from './rights.ts';
import type { SchemaObject } from './schema-objects.ts';

export interface Grants {
  /** What the role lacks. */
  readonly missing: readonly string[];
  /** What it, or everybody, has and was not declared. */
  readonly excess: readonly string[];
}

/** Compares; running the statements, in whatever order, leaves nothing to compare. */
export function grantsFor(role: string, rights: SchemaRights, objects: readonly SchemaObject[]): Grants {
  const name = pg.escapeIdentifier(role);
  const missing: string[] = [];
  const excess: string[] = [];
  for (const object of objects) {
    const { grantName, isForAll, granted } = object;
    const declared = declaredFor(object, rights);
    if (isForAll) excess.push(`REVOKE EXECUTE ON ${grantName} FROM PUBLIC`);
    // What only everybody may is lost with everybody's right.
    const held = isForAll ? granted : object.held;
    const lacking = declared.filter((right) => !held.includes(right));
    // The database is not the app's alone.
    const undeclared = object.kind === 'database' ? [] : granted.filter((right) => !declared.includes(right));
    if (lacking.length > 0) missing.push(`GRANT ${lacking.join(', ')} ON ${grantName} TO ${name}`);
    if (undeclared.length > 0) excess.push(`REVOKE ${undeclared.join(', ')} ON ${grantName} FROM ${name}`);
  }
  return { missing, excess };
}

function declaredFor({ kind, name }: SchemaObject, rights: SchemaRights): readonly string[] {
  switch (kind) {
    case 'database':
      return ['CONNECT'];
    case 'schema':
      return ['USAGE'];
    case 'table':
      return rightsOfTable(rights, name) ?? [];
    case 'partition':
      return [];
    case 'sequence':
      return rights.sequences?.[name] ?? [];
    case 'function':
      return rights.functions?.includes(name) ? ['EXECUTE'] : [];
  }
}
