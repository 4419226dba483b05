/**
 * A batch is written by one statement that is put together from parts: only those that have rows, so that a batch of
 * holds does not pay for what it never writes. Every combination is prepared once, under its own name.
 */
import { arrayLiteral } from './array-literal.ts';

/** The decision's time is every statement's first parameter, in milliseconds. */
export const NOW = 'to_timestamp($1::float8 / 1000.0)';
/** Of a column of milliseconds. */
export const time = (column: string): string => `to_timestamp(${column} / 1000.0)`;

export interface PartOf<Source, Row> {
  /** What of the source this part writes; without any rows it is left out. */
  readonly rows: (source: Source) => readonly Row[];
  /** Columns of the rows, each with its type and what of a row goes there. */
  readonly columns: Readonly<Record<string, readonly [type: string, of: (row: Row) => unknown]>>;
  /**
   * Statements by their names. `rows` is a FROM item named x with the columns and a `position`, `guard` a condition
   * without which nothing may be written.
   */
  readonly writes: (rows: string, guard: string) => Readonly<Record<string, string>>;
}

/** A part whose rows concern nobody else. */
export interface Part<Source> {
  readonly types: readonly string[];
  /** The values of each column, null without rows. */
  readonly valuesOf: (source: Source) => readonly (readonly unknown[])[] | null;
  readonly sql: (firstParameter: number, guard: string) => readonly string[];
}

export interface Statement {
  readonly name: string;
  readonly text: string;
  readonly values: unknown[];
}

/** What comes before the parts in a statement: CTEs, their parameters, and the condition that parts wait for. */
export interface Preamble {
  readonly name: string;
  readonly sql: string;
  readonly values: readonly unknown[];
  readonly guard: string;
  /** What the statement answers. */
  readonly answer: string;
}

export function part<Source, Row>({ rows, columns, writes }: PartOf<Source, Row>): Part<Source> {
  const entries = Object.entries(columns);
  const types = entries.map(([, [type]]) => type);
  const getters = entries.map(([, [, of]]) => of);
  return {
    types,
    valuesOf: (source) => {
      const found = rows(source);
      return found.length === 0 ? null : getters.map((of) => found.map(of));
    },
    sql: (firstParameter, guard) => {
      const arrays = entries.map(([name, [type]], index) => ({
        name,
        array: `$${firstParameter + index}::${type}[]`,
        hasFixedWidth: FIXED_WIDTH.has(type),
      }));
      return Object.entries(writes(rowsOf(arrays), guard)).map(([cte, sql]) => `${cte} AS (${sql})`);
    },
  };
}

const FIXED_WIDTH: ReadonlySet<string> = new Set(['smallint', 'int', 'bigint', 'float8', 'timestamptz']);

interface ArrayColumn {
  readonly name: string;
  readonly array: string;
  readonly hasFixedWidth: boolean;
}

/**
 * PostgreSQL sets up a store for every array that it unnests, and puts every element there: dearer than the rest of a small insert. An
 * element of fixed width is found at its place as fast; of any other one has to pass all before it.
 */
function rowsOf(columns: readonly ArrayColumn[]): string {
  const others = columns.filter(({ hasFixedWidth }) => !hasFixedWidth);
  const unnested = new Set(others.length > 0 ? others : columns.slice(0, 1));
  const arrays = [...unnested].map(({ array }) => array).join(', ');
  const names = [...unnested].map(({ name }) => name).join(', ');
  const values = columns.map((column) =>
    unnested.has(column) ? `p.${column.name}` : `(${column.array})[p.position] AS ${column.name}`,
  );
  // Numbered, for an outbox id must grow with the order of facts.
  return `(SELECT ${values.join(', ')}, p.position FROM unnest(${arrays}) WITH ORDINALITY AS p (${names}, position)) AS x`;
}

const texts = new Map<string, string>();

/** Puts the parts that have rows together. `scope` tells statements of different schemas apart. */
export function compose<Source>(
  scope: string,
  preamble: Preamble,
  parts: readonly Part<Source>[],
  source: Source,
): Statement {
  const values: unknown[] = [...preamble.values];
  const needed: Part<Source>[] = [];
  let mask = 0;
  for (const [index, candidate] of parts.entries()) {
    const columns = candidate.valuesOf(source);
    if (columns === null) continue;
    needed.push(candidate);
    values.push(...columns.map(arrayLiteral));
    mask += 2 ** index;
  }
  // PostgreSQL tells prepared statements apart by 63 bytes of their names.
  const name = `${preamble.name}-${mask.toString(36)}`;
  const key = `${scope}/${name}`;
  let text = texts.get(key);
  if (text === undefined) texts.set(key, (text = textOf(preamble, needed)));
  return { name, text, values };
}

function textOf<Source>({ sql, values, guard, answer }: Preamble, parts: readonly Part<Source>[]): string {
  const ctes = sql === '' ? [] : [sql];
  let parameter = values.length + 1;
  for (const one of parts) {
    ctes.push(...one.sql(parameter, guard));
    parameter += one.types.length;
  }
  return ctes.length === 0 ? answer : `WITH ${ctes.join(',\n')} ${answer}`;
}
