/** Between the catalogue's edges and its data access: CSV bodies in, refusals out. */
import { type Channel, CSV_COLUMNS, type Node, type Sku, type Upserted } from '@onepool/contracts';
import { type Applied, type CsvShape, parseCsv } from '@onepool/catalog-data-access';
import { findForbiddenText, problem } from '@onepool/platform-problem';
import { problems, refusal } from './problems.ts';
import { rows } from './validators.ts';

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
    check: (row) => items(rows.sku.check(row)),
    keyColumn: 'sku',
  },
  node: {
    columns: CSV_COLUMNS.node,
    numbers: ['lat', 'lng', 'dailyCapacity'],
    lists: [],
    check: (row) => items(rows.node.check(row)),
    keyColumn: 'node',
  },
  channel: {
    columns: CSV_COLUMNS.channel,
    numbers: [],
    lists: ['nodeTypes', 'nodes'],
    check: (row) => items(rows.channel.check(row)),
    keyColumn: 'channel',
  },
};

const items = (found: ReturnType<typeof rows.sku.check>) =>
  found.map(({ code, path, message }) => ({ code, message, ...(path === undefined ? {} : { path }) }));

/** Rows of a `text/csv` body; one bad row refuses the file, naming every bad one and counting the good. */
export function readCsv<Kind extends keyof Rows>(kind: Kind, body: unknown): readonly Rows[Kind][] {
  if (typeof body !== 'string') {
    throw problem('request.unsupported_media_type', { detail: 'Send the file as text/csv.' });
  }
  const forbidden = findForbiddenText(body);
  if (forbidden.length > 0) throw problem('request.invalid', { errors: forbidden });
  const { good, faults } = parseCsv<Rows[Kind]>(body, SHAPES[kind]);
  if (faults.length > 0) {
    throw problems.problem('import.rejected', {
      detail: `Nothing was applied. ${good.length} rows are good; correct the others and send the file again.`,
      errors: faults,
      extensions: { goodRows: good.length },
    });
  }
  if (good.length === 0) {
    throw problems.problem('import.rejected', {
      detail: 'The file has no rows.',
      errors: [{ line: 1, code: 'empty', message: 'a header and at least one row are required' }],
      extensions: { goodRows: 0 },
    });
  }
  return good;
}

export function appliedOf(applied: Applied): Upserted {
  if (applied.ok) return { applied: applied.applied };
  throw refusal(applied.code, { [applied.code.split('.')[0] ?? 'code']: applied.value });
}
