/**
 * Rows out, as CSV by RFC 4180 with the columns of the import, which reads back exactly what was stored. For a spreadsheet, cells
 * that it might take for formulas get an apostrophe before them; such a file says so in its first column, and import refuses it.
 */
import { SPREADSHEET_COLUMN } from './csv-import.ts';

export interface CsvOut<T> {
  readonly columns: readonly string[];
  /** In the order of {@link columns} by name; those that are lists are `|`-separated, or the word `all`. */
  readonly rows: AsyncIterable<readonly T[]>;
  readonly forSpreadsheet: boolean;
}

export async function* writeCsv<T extends object>({
  columns,
  rows,
  forSpreadsheet,
}: CsvOut<T>): AsyncGenerator<string> {
  const lineOf = (cells: readonly string[]): string => {
    const shown = forSpreadsheet ? ['', ...cells.map(harmless)] : cells;
    return `${shown.map(quoted).join(',')}\r\n`;
  };
  yield `${(forSpreadsheet ? [SPREADSHEET_COLUMN, ...columns] : columns).join(',')}\r\n`;
  for await (const some of rows) {
    const lines = some.map((row) => lineOf(columns.map((column) => cellOf(Reflect.get(row, column)))));
    if (lines.length > 0) yield lines.join('');
  }
}

function cellOf(value: unknown): string {
  if (value === undefined) return '';
  if (typeof value === 'number') return plain(value);
  if (!Array.isArray(value)) return String(value);
  const items = (value as string[]).map((item) => item.replaceAll(/[\\|]/g, '\\$&'));
  // The word alone would mean all of them.
  return items.length === 1 && items[0] === 'all' ? '\\all' : items.join('|');
}

/** The shortest that is read back as the same number, and without an exponent, which import takes for no number. */
function plain(value: number): string {
  const [text = '', exponent] = String(value).split('e-');
  if (exponent === undefined) return text;
  const digits = text.replace('-', '').replace('.', '');
  return `${value < 0 ? '-' : ''}0.${'0'.repeat(Number(exponent) - 1)}${digits}`;
}

/** White space around a cell is dropped unless it stands in quotes. */
const quoted = (cell: string): string =>
  /[",\r\n]/.test(cell) || cell !== cell.trim() ? `"${cell.replaceAll('"', '""')}"` : cell;

/** Not taken for a formula by a spreadsheet. */
const harmless = (cell: string): string => (/^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell);
