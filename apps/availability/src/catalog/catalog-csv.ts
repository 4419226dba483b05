/** Between the catalogue's operations and its data access: CSV files in, refusals out. */
import { isUtf8 } from 'node:buffer';
import { CSV_COLUMNS, ChannelChange, NodeChange, SkuChange, type Upserted } from '@onepool/contracts';
import {
  type Applied,
  type CsvShape,
  type GoodRow,
  type RowFault,
  parseCsv,
  writeCsv,
} from '@onepool/catalog-data-access';
import type { CsvAnswer } from '@onepool/platform-operations';
import { type ProblemError, compileSchema } from '@onepool/platform-problem';
import { problems, refusal } from '../problems.ts';

const rows = {
  sku: compileSchema(SkuChange),
  node: compileSchema(NodeChange),
  channel: compileSchema(ChannelChange),
};

interface Rows {
  sku: SkuChange;
  node: NodeChange;
  channel: ChannelChange;
}

const SHAPES: { readonly [Kind in keyof Rows]: CsvShape<Rows[Kind]> } = {
  sku: {
    columns: CSV_COLUMNS.sku,
    numbers: ['weightGrams', 'lengthMm', 'widthMm', 'heightMm', 'supplierCost', 'leadTimeDays'],
    lists: [],
    accepts: (row) => rows.sku.accepts(row),
    check: (row) => items(rows.sku.check(row)),
    keyColumn: 'sku',
  },
  node: {
    columns: CSV_COLUMNS.node,
    numbers: ['lat', 'lng', 'dailyCapacity'],
    lists: ['groups', 'fulfilmentTypes'],
    accepts: (row) => rows.node.accepts(row),
    check: (row) => items(rows.node.check(row)),
    keyColumn: 'node',
  },
  channel: {
    columns: CSV_COLUMNS.channel,
    numbers: [],
    lists: ['nodeTypes', 'nodes'],
    accepts: (row) => rows.channel.accepts(row),
    check: (row) => items(rows.channel.check(row)),
    keyColumn: 'channel',
  },
};

const items = (found: ReturnType<typeof rows.sku.check>) =>
  found.map(({ code, path, message }) => ({ code, message, ...(path === undefined ? {} : { path }) }));

const SPREADSHEET = 'Its cells may be altered. Export it again without for=spreadsheet, and change that file.';

const FAULTS_SHOWN_MAX = 100;
const LINE_FEED = 0x0a;

function csvText(body: Buffer): string {
  if (isUtf8(body)) return body.toString('utf8');
  throw rejected([{ line: firstLineNotUtf8(body), code: 'not_utf8', message: 'the text is not UTF-8' }], 1, 0);
}

/** What is not UTF-8 does not come back from text as it went in. */
function firstLineNotUtf8(body: Buffer): number {
  const back = Buffer.from(body.toString('utf8'));
  let line = 1;
  for (let at = 0; at < body.length && body[at] === back[at]; at += 1) if (body[at] === LINE_FEED) line += 1;
  return line;
}

/** Rows of a `text/csv` body; one bad row refuses the file, naming the first bad ones and counting all, and the good. */
export async function readCsv<Kind extends keyof Rows>(
  kind: Kind,
  body: Buffer,
): Promise<readonly GoodRow<Rows[Kind]>[]> {
  const { good, goodRows, faults, badRows, isForSpreadsheet } = await parseCsv<Rows[Kind]>(csvText(body), SHAPES[kind]);
  if (isForSpreadsheet) throw problems.problem('import.spreadsheet', { detail: SPREADSHEET });
  if (badRows > 0) throw rejected(faults, badRows, goodRows);
  if (goodRows === 0) {
    throw rejected([{ line: 1, code: 'empty', message: 'a header and at least one row are required' }], 1, 0);
  }
  return good;
}

/** Every row as the CSV that import takes, or for a spreadsheet. */
export function csvOf<T extends object>(
  kind: keyof Rows,
  rows: AsyncIterable<readonly T[]>,
  use: 'spreadsheet' | undefined,
): CsvAnswer {
  const forSpreadsheet = use === 'spreadsheet';
  return {
    fileName: `${kind}s.csv`,
    headers: { 'onepool-export': use ?? 'exact' },
    pieces: writeCsv({ columns: CSV_COLUMNS[kind], rows, forSpreadsheet }),
  };
}

const rejected = (faults: readonly RowFault[], badRows: number, goodRows: number): ProblemError =>
  problems.problem('import.rejected', {
    detail: `Nothing was applied. ${goodRows} rows are good; correct the others and send the file again.`,
    errors: faults.slice(0, FAULTS_SHOWN_MAX),
    extensions: { goodRows, badRows },
  });

const upserted = ({ applied, warnings }: Applied & { readonly ok: true }): Upserted => ({
  applied,
  ...(warnings.length > 0 && { warnings: [...warnings] }),
});

/** What was applied of a file; its faults name their lines. */
export function appliedOfFile(good: readonly GoodRow<unknown>[], applied: Applied): Upserted {
  if (applied.ok) return upserted(applied);
  const badRows = new Set(applied.faults.map(({ index }) => index)).size;
  const shown = applied.faults.slice(0, FAULTS_SHOWN_MAX).map(({ index, member, code, message }) => ({
    line: good[index]?.line ?? 0,
    code,
    message: `${member}: ${message()}`,
  }));
  throw rejected(
    shown.toSorted((one, other) => one.line - other.line),
    badRows,
    good.length - badRows,
  );
}

/** What was applied of a list, whose name in the body is `list`. */
export function appliedOf(list: string, applied: Applied): Upserted {
  if (applied.ok) return upserted(applied);
  const [first] = applied.faults;
  if (first?.value !== undefined) throw refusal(first.code, { [first.member.replace(/s$/, '')]: first.value });
  const errors = applied.faults
    .slice(0, FAULTS_SHOWN_MAX)
    .map(({ index, member, code, message }) => ({ path: `/${list}/${index}/${member}`, code, message: message() }));
  throw problems.problem('request.invalid', { errors });
}
