/** Between the catalogue's operations and its data access: CSV files in, refusals out. */
import { isUtf8 } from 'node:buffer';
import { CSV_COLUMNS, Channel, Node, Sku, type Upserted } from '@onepool/contracts';
import { type Applied, type CsvShape, type GoodRow, type RowFault, parseCsv } from '@onepool/catalog-data-access';
import { type ProblemError, compileSchema } from '@onepool/platform-problem';
import { problems, refusal } from '../problems.ts';

const rows = { sku: compileSchema(Sku), node: compileSchema(Node), channel: compileSchema(Channel) };

interface Rows {
  sku: Sku;
  node: Node;
  channel: Channel;
}

const SHAPES: { readonly [Kind in keyof Rows]: CsvShape<Rows[Kind]> } = {
  sku: {
    columns: CSV_COLUMNS.sku,
    numbers: ['weightGrams'],
    lists: [],
    accepts: (row) => rows.sku.accepts(row),
    check: (row) => items(rows.sku.check(row)),
    keyColumn: 'sku',
  },
  node: {
    columns: CSV_COLUMNS.node,
    numbers: ['lat', 'lng', 'dailyCapacity'],
    lists: [],
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
  const { good, goodRows, faults, badRows } = await parseCsv<Rows[Kind]>(csvText(body), SHAPES[kind]);
  if (badRows > 0) throw rejected(faults, badRows, goodRows);
  if (goodRows === 0) {
    throw rejected([{ line: 1, code: 'empty', message: 'a header and at least one row are required' }], 1, 0);
  }
  return good;
}

/** Refuses a file whose channels name nodes that do not exist, as it does any other bad row. */
export function refuseUnknownNodes(channels: readonly GoodRow<Channel>[], unknown: readonly string[]): void {
  const missing = new Set(unknown);
  const faults = channels.flatMap(({ line, row }): RowFault[] => {
    const node = row.nodes?.find((code) => missing.has(code));
    return node === undefined ? [] : [{ line, code: 'node.unknown', message: `nodes: there is no node ${node}` }];
  });
  if (faults.length > 0) throw rejected(faults, faults.length, channels.length - faults.length);
}

const rejected = (faults: readonly RowFault[], badRows: number, goodRows: number): ProblemError =>
  problems.problem('import.rejected', {
    detail: `Nothing was applied. ${goodRows} rows are good; correct the others and send the file again.`,
    errors: faults.slice(0, FAULTS_SHOWN_MAX),
    extensions: { goodRows, badRows },
  });

export function appliedOf(applied: Applied): Upserted {
  if (applied.ok) return { applied: applied.applied };
  throw refusal(applied.code, { [applied.code.split('.')[0] ?? 'code']: applied.value });
}
