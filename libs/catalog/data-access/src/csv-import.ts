/**
 * CSV in, checked rows out: every bad row is named with its line and its reason, and then nothing is applied. The
 * first line names the columns, in any order; unknown ones are refused. What a column that is left out would tell stays
 * as it is, and an empty cell clears it, or empties the list. A list inside a cell is separated by `|`; the word `all` in
 * its place means all. A backslash takes the next character as it stands: `\|`, `\\`, and `\all` for a node of that name.
 */
import { Readable } from 'node:stream';
import { Slices } from '@onepool/platform-clock';
import { type CsvError, type Info, parse } from 'csv-parse';

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
  /** Empty unless every row is good. */
  readonly good: readonly GoodRow<T>[];
  readonly goodRows: number;
  /** The first hundred, in the order of lines. */
  readonly faults: readonly RowFault[];
  readonly badRows: number;
  /** Whether it was exported for a spreadsheet, and so is not what was stored. */
  readonly isForSpreadsheet: boolean;
}

/** The first column of what is exported for a spreadsheet. */
export const SPREADSHEET_COLUMN = 'spreadsheet-only';

const FAULTS_SHOWN_MAX = 100;
/** A file may consist of rows of two bytes: so much of it is read, and so many rows are checked, between two turns. */
const BYTES_PER_PIECE = 2_048;
/** As much as a row may take that is stored. */
const RECORD_BYTES_MAX = 256 * 1024;
const ROWS_PER_SLICE = 500;

export interface CsvShape<T> {
  readonly columns: readonly string[];
  /** Columns read as numbers, and as `|`-separated lists or the word `all`. */
  readonly numbers: readonly string[];
  readonly lists: readonly string[];
  /** Whether a row is a `T`; puts its codes into their one form. */
  readonly accepts: (row: unknown) => boolean;
  /** Says what is wrong with a row that is none. */
  readonly check: (
    row: unknown,
  ) => readonly { readonly code: string; readonly path?: string; readonly message: string }[];
  /** The column that identifies a row; a code that comes twice is a fault. */
  readonly keyColumn: keyof T & string;
}

/** Takes many turns of the event loop for a long text. */
export async function parseCsv<T>(text: string, shape: CsvShape<T>): Promise<ParsedCsv<T>> {
  const grammar = new GrammarFaults();
  const inRows = new Faults();
  const slices = new Slices(ROWS_PER_SLICE);
  let rows: Rows<T> | null = null;
  let isForSpreadsheet = false;
  let isFirst = true;
  for await (const { record, info } of recordsOf(text, grammar)) {
    if (slices.isFull()) await slices.next();
    if (!isFirst) rows?.add(info.lines, record);
    else if (!grammar.isBefore(info.lines)) {
      const header = record.map((column) => column.trim());
      isForSpreadsheet = header.includes(SPREADSHEET_COLUMN);
      const fault = headerFault(header, shape);
      if (fault) inRows.add(1, () => fault);
      else rows = new Rows(header, shape, inRows);
    }
    isFirst = false;
  }
  const faults = [...inRows.first, ...grammar.faults.first].toSorted((a, b) => a.line - b.line);
  return {
    good: rows?.good ?? [],
    goodRows: rows?.goodRows ?? 0,
    faults: faults.slice(0, FAULTS_SHOWN_MAX),
    badRows: inRows.count + grammar.faults.count,
    isForSpreadsheet,
  };
}

/** All are counted, and described only as long as they will be shown. */
class Faults {
  readonly first: RowFault[] = [];
  count = 0;

  add(line: number, describe: () => Omit<RowFault, 'line'>): void {
    this.count += 1;
    if (this.count <= FAULTS_SHOWN_MAX) this.first.push({ line, ...describe() });
  }
}

/** What comes below the header. */
class Rows<T> {
  readonly #header: readonly string[];
  readonly #shape: CsvShape<T>;
  readonly #faults: Faults;
  readonly #firstLine = new Map<unknown, number>();
  good: GoodRow<T>[] = [];
  goodRows = 0;

  constructor(header: readonly string[], shape: CsvShape<T>, faults: Faults) {
    this.#header = header;
    this.#shape = shape;
    this.#faults = faults;
  }

  add(line: number, cells: readonly string[]): void {
    const row = toRow(this.#header, cells, this.#shape);
    const isRow = cells.length === this.#header.length && this.#shape.accepts(row);
    // Known only now: accepting a row has put its code into the one form.
    const key = row[this.#shape.keyColumn];
    if (!isRow || this.#firstLine.has(key)) {
      this.#faults.add(line, () => this.#describe(row, cells.length));
      this.good = [];
      return;
    }
    this.goodRows += 1;
    this.#firstLine.set(key, line);
    if (this.#faults.count === 0) this.good.push({ line, row: row as T });
  }

  #describe(row: Record<string, unknown>, cells: number): Omit<RowFault, 'line'> {
    const columns = this.#header.length;
    if (cells !== columns)
      return { code: 'wrong_cell_count', message: `${cells} cells where the header has ${columns}` };
    const [fault] = this.#shape.check(row);
    if (fault && row[fault.path?.slice(1) ?? ''] === null) return notClearable(fault.path?.slice(1) ?? '', this.#shape);
    if (fault) return { code: fault.code, message: `${fault.path?.slice(1) ?? 'row'}: ${fault.message}` };
    return { code: 'duplicate', message: `already in line ${this.#firstLine.get(row[this.#shape.keyColumn])}` };
  }
}

const notClearable = <T>(column: string, { keyColumn }: CsvShape<T>): Omit<RowFault, 'line'> =>
  column === keyColumn
    ? { code: 'missing', message: `${column}: the field is required` }
    : { code: 'not_clearable', message: `${column}: cannot be cleared; without the column it stays as it is` };

function headerFault<T>(header: readonly string[], { columns, keyColumn }: CsvShape<T>): Omit<RowFault, 'line'> | null {
  const fault = (code: string, message: string) => ({ code, message });
  const unknown = header.filter((column) => !columns.includes(column)).length;
  if (unknown > 0) return fault('unknown_column', `${unknown} unknown columns; known are ${columns.join(', ')}`);
  const twice = header.find((column, index) => header.indexOf(column) !== index);
  if (twice !== undefined) return fault('duplicate_column', `the column ${twice} comes twice`);
  return header.includes(keyColumn) ? null : fault('missing_column', `the column ${keyColumn} is required`);
}

function toRow<T>(header: readonly string[], cells: readonly string[], shape: CsvShape<T>): Record<string, unknown> {
  const row: Record<string, unknown> = {};
  for (const [index, column] of header.entries()) {
    // White space around a cell was dropped already, but for what stands in quotes.
    const cell = cells[index] ?? '';
    if (shape.lists.includes(column)) row[column] = cell.trim() === 'all' ? 'all' : listOf(cell.trim());
    else if (cell === '') row[column] = null;
    else row[column] = shape.numbers.includes(column) && NUMBER.test(cell.trim()) ? Number(cell) : cell;
  }
  return row;
}

/** Without an exponent, which is what spreadsheets make of long codes. */
const NUMBER = /^-?\d+(\.\d+)?$/;

/** The items of a cell; a character behind a backslash is itself. */
function listOf(cell: string): string[] {
  if (cell === '') return [];
  const items = [''];
  for (const part of cell.match(/\\.|[^|\\]+|[|\\]/gsu) ?? []) {
    if (part === '|') items.push('');
    else items[items.length - 1] += part.length > 1 && part.startsWith('\\') ? part.slice(1) : part;
  }
  return items.map((item) => item.trim());
}

/** Rows that break the grammar of CSV itself; the parser tells of them apart from those that it can read. */
class GrammarFaults {
  readonly faults = new Faults();
  #lastLine = 0;
  #lastFault = 0;

  /** Whether something above that line is malformed. */
  isBefore(line: number): boolean {
    const [first] = this.faults.first;
    return first !== undefined && first.line < line;
  }

  onRecord(line: number): void {
    this.#lastLine = line;
  }

  onSkip(error: CsvError): void {
    const { line, ...fault } = malformed(error, this.#lastLine);
    // One record may break several rules of the grammar, and a misplaced quote leaves all that follows quoted: the
    // first fault says enough.
    const isConsequence = error.code === 'CSV_QUOTE_NOT_CLOSED' && this.faults.count > 0;
    if (!isConsequence && this.#lastFault !== line) {
      this.faults.add(line, () => fault);
      this.#lastFault = line;
    }
    this.#lastLine = line;
  }
}

function recordsOf(text: string, grammar: GrammarFaults): AsyncIterable<{ record: string[]; info: Info }> {
  const parser = parse({
    bom: true,
    info: true,
    relax_column_count: true,
    skip_empty_lines: true,
    trim: true,
    skip_records_with_error: true,
    max_record_size: RECORD_BYTES_MAX,
    on_record: (record: string[], { lines }) => {
      grammar.onRecord(lines);
      return record;
    },
    on_skip: (error: CsvError | undefined) => {
      if (error) grammar.onSkip(error);
    },
  });
  return Readable.from(piecesOf(Buffer.from(text))).pipe(parser);
}

async function* piecesOf(bytes: Buffer): AsyncGenerator<Buffer> {
  const slices = new Slices(1);
  for (let from = 0; from < bytes.length; from += BYTES_PER_PIECE) {
    yield bytes.subarray(from, from + BYTES_PER_PIECE);
    await slices.next();
  }
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
      ? 'the row is longer than 256 KiB'
      : 'a quote stands where none may be; what follows may not have been checked',
  };
}
