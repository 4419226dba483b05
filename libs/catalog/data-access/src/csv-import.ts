/**
 * CSV in, checked rows out: every bad row is named with its line and its reason, and then nothing is applied. The
 * first line names the columns, in any order; columns may be left out, unknown ones are refused; empty cells count as
 * absent; a list inside a cell is separated by `|`.
 */
import { type CsvError, type Info, parse } from 'csv-parse/sync';

export interface RowFault {
  readonly line: number;
  readonly code: string;
  readonly message: string;
}

export interface ParsedCsv<T> {
  readonly good: readonly T[];
  readonly faults: readonly RowFault[];
}

export interface CsvShape<T> {
  readonly columns: readonly string[];
  /** Columns read as numbers, and as `|`-separated lists. */
  readonly numbers: readonly string[];
  readonly lists: readonly string[];
  /** Says what is wrong with a row; empty means it is a `T`. */
  readonly check: (
    row: unknown,
  ) => readonly { readonly code: string; readonly path?: string; readonly message: string }[];
  /** The column that identifies a row; a code that comes twice is a fault. */
  readonly keyColumn: keyof T & string;
}

const FAULTS_MAX = 100;

export function parseCsv<T>(text: string, shape: CsvShape<T>): ParsedCsv<T> {
  const { header, records, faults } = readRecords(text);
  const unknown = header.filter((column) => !shape.columns.includes(column));
  if (unknown.length > 0) {
    return {
      good: [],
      faults: [
        {
          line: 1,
          code: 'unknown_column',
          message: `unknown column ${unknown.slice(0, 5).join(', ')}; known are ${shape.columns.join(', ')}`,
        },
      ],
    };
  }
  if (!header.includes(shape.keyColumn)) {
    return {
      good: [],
      faults: [{ line: 1, code: 'missing_column', message: `the column ${shape.keyColumn} is required` }],
    };
  }
  const good: T[] = [];
  const firstLine = new Map<unknown, number>();
  const found = [...faults];
  for (const { line, cells } of records) {
    const row = toRow(header, cells, shape);
    const fault = faultOf(row, cells.length, header.length, shape, firstLine);
    if (fault) found.push({ line, ...fault });
    else {
      firstLine.set(row[shape.keyColumn], line);
      good.push(row as T);
    }
  }
  return { good, faults: found.toSorted((a, b) => a.line - b.line).slice(0, FAULTS_MAX) };
}

function faultOf<T>(
  row: Record<string, unknown>,
  cells: number,
  columns: number,
  shape: CsvShape<T>,
  firstLine: ReadonlyMap<unknown, number>,
): Omit<RowFault, 'line'> | null {
  if (cells !== columns) return { code: 'wrong_cell_count', message: `${cells} cells where the header has ${columns}` };
  const [fault] = shape.check(row);
  if (fault) return { code: fault.code, message: `${fault.path?.slice(1) ?? 'row'}: ${fault.message}` };
  const earlier = firstLine.get(row[shape.keyColumn]);
  return earlier === undefined ? null : { code: 'duplicate', message: `already in line ${earlier}` };
}

function toRow<T>(header: readonly string[], cells: readonly string[], shape: CsvShape<T>): Record<string, unknown> {
  const row: Record<string, unknown> = {};
  for (const [index, column] of header.entries()) {
    const cell = cells[index]?.trim() ?? '';
    if (cell === '') continue;
    if (shape.numbers.includes(column)) row[column] = /^-?\d+(\.\d+)?$/.test(cell) ? Number(cell) : cell;
    else row[column] = shape.lists.includes(column) ? cell.split('|').map((item) => item.trim()) : cell;
  }
  return row;
}

interface CsvRecord {
  readonly line: number;
  readonly cells: readonly string[];
}

function readRecords(text: string): {
  header: readonly string[];
  records: readonly CsvRecord[];
  faults: readonly RowFault[];
} {
  const faults: RowFault[] = [];
  try {
    const rows = parse(text, {
      bom: true,
      info: true,
      relax_column_count: true,
      skip_empty_lines: true,
      max_record_size: 64 * 1024,
      on_skip: (error: CsvError | undefined) => {
        if (error) faults.push({ line: Number(error['lines'] ?? 0), code: 'malformed', message: error.message });
        return undefined;
      },
      skip_records_with_error: true,
    }) as unknown as { record: string[]; info: Info }[];
    const [first, ...rest] = rows;
    const header = (first?.record ?? []).map((column) => column.trim());
    return { header, records: rest.map(({ record, info }) => ({ line: info.lines, cells: record })), faults };
  } catch (error) {
    const lines = error instanceof Error && 'lines' in error ? Number(error.lines) : 1;
    return {
      header: [],
      records: [],
      faults: [{ line: lines, code: 'malformed', message: error instanceof Error ? error.message : 'not CSV' }],
    };
  }
}
