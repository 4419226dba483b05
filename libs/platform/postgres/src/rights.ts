/** What the role of an app may do in the app's own schema, declared beside the tables (ADR 0015). */
import assert from 'node:assert/strict';

export type TableRight = 'SELECT' | 'INSERT' | 'UPDATE' | 'DELETE';
export type SequenceRight = 'USAGE' | 'SELECT';

export interface SchemaRights {
  /** A name that ends in `*` stands for every table whose name begins so: a template and the tables made like it. */
  readonly tables: Readonly<Record<string, readonly TableRight[]>>;
  /** Filling an identity column needs none. */
  readonly sequences?: Readonly<Record<string, readonly SequenceRight[]>>;
  /** Functions that may be called, by name. Triggers call theirs without. */
  readonly functions?: readonly string[];
}

/** The rights of an app out of those of its libraries. No name may be declared twice. */
export function combineRights(...parts: readonly SchemaRights[]): SchemaRights {
  const combined = {
    tables: Object.assign({}, ...parts.map(({ tables }) => tables)) as SchemaRights['tables'],
    sequences: Object.assign({}, ...parts.map(({ sequences }) => sequences)) as NonNullable<SchemaRights['sequences']>,
    functions: parts.flatMap(({ functions = [] }) => functions),
  };
  const declared = parts.flatMap(({ tables, sequences = {} }) => [...Object.keys(tables), ...Object.keys(sequences)]);
  const kept = Object.keys(combined.tables).length + Object.keys(combined.sequences).length;
  assert.equal(declared.length, kept, `declared twice: ${declared.join(', ')}`);
  return combined;
}

/** The right declared for a table, if any. */
export function rightsOfTable(rights: SchemaRights, table: string): readonly TableRight[] | undefined {
  const family = Object.keys(rights.tables).find((name) => name.endsWith('*') && table.startsWith(name.slice(0, -1)));
  return rights.tables[table] ?? (family === undefined ? undefined : rights.tables[family]);
}
