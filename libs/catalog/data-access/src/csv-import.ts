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

export interface GoodRow<T> {
  readonly line: number;
  readonly row: T;
}

export interface ParsedCsv<T> {
  readonly good: readonly GoodRow<T>[];
  /** Every fault, in the order of lines. */
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

export function parseCsv<T>(text: string, shape: CsvShape<T>): ParsedCsv<T> {
  const { header, records, faults } = readRecords(text);
  const inHeader = header === null ? null : headerFault(header, shape);
  if (header === null || inHeader) return { good: [], faults: [...(inHeader ? [inHeader] : []), ...faults] };
  const good: GoodRow<T>[] = [];
  const firstLine = new Map<unknown, number>();
  const found = [...faults];
  for (const { line, cells } of records) {
    const row = toRow(header, cells, shape);
    const fault = faultOf(row, cells.length, header.length, shape, firstLine);
    if (fault) found.push({ line, ...fault });
    else {
      firstLine.set(row[shape.keyColumn], line);
      good.push({ line, row: row as T });
    }
  }
  return { good, faults: found.toSorted((a, b) => a.line - b.line) };
}

function headerFault<T>(header: readonly string[], { columns, keyColumn }: CsvShape<T>): RowFault | null {
  const fault = (code: string, message: string): RowFault => ({ line: 1, code, message });
  const unknown = header.filter((column) => !columns.includes(column)).length;
  if (unknown > 0) return fault('unknown_column', `${unknown} unknown columns; known are ${columns.join(', ')}`);
  const twice = header.find((column, index) => header.indexOf(column) !== index);
  if (twice !== undefined) return fault('duplicate_column', `the column ${twice} comes twice`);
  return header.includes(keyColumn) ? null : fault('missing_column', `the column ${keyColumn} is required`);
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

/** The header is null where nothing could be read, or where the header itself is malformed. */
function readRecords(text: string): {
  header: readonly string[] | null;
  records: readonly CsvRecord[];
  faults: readonly RowFault[];
} {
  const faults: RowFault[] = [];
  let lastLine = 0;
  const rows = parse(text, {
    bom: true,
    info: true,
    relax_column_count: true,
    skip_empty_lines: true,
    skip_records_with_error: true,
    max_record_size: 64 * 1024,
    on_record: (record: string[], { lines }) => {
      lastLine = lines;
      return record;
    },
    on_skip: (error: CsvError | undefined) => {
      if (!error) return;
      const fault = malformed(error, lastLine);
      // One record may break several rules of the grammar, and a misplaced quote leaves all that follows quoted: the
      // first fault says enough.
      const isConsequence = error.code === 'CSV_QUOTE_NOT_CLOSED' && faults.length > 0;
      if (!isConsequence && faults.at(-1)?.line !== fault.line) faults.push(fault);
      lastLine = fault.line;
    },
  }) as unknown as { record: string[]; info: Info }[];
  const [first, ...rest] = rows;
  const [earliest] = faults;
  if (!first || (earliest && earliest.line < first.info.lines)) return { header: null, records: [], faults };
  const header = first.record.map((column) => column.trim());
  return { header, records: rest.map(({ record, info }) => ({ line: info.lines, cells: record })), faults };
}

/** The parser's own messages quote the file, and tell of an open quote only where the file ends. */
function malformed(error: CsvError, lastLine: number): RowFault {
  if (error.code === 'CSV_QUOTE_NOT_CLOSED')
    return { line: lastLine + 1, code: 'malformed', message: 'a quote that opens here is never closed' };
  const isTooLong = error.code === 'CSV_MAX_RECORD_SIZE';
  return {
    line: Number(error['lines']),
    code: 'malformed',
    message: isTooLong
      ? 'the row is longer than 64 KiB'
      : 'a quote stands where none may be; what follows may not have been checked',
  };
}
