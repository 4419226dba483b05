/** Exceptions of SKUs that are open, with what has been told of them. */
import type { StockException } from '@onepool/contracts';
import type { NodeKey, SkuKey, ToldPromise } from '@onepool/stock-domain';
import type pg from 'pg';
import type { LineName } from './healing-reads.ts';

export type ExceptionCode = StockException['code'];

/** What an exception is about. */
export interface ExceptionSubject {
  readonly code: ExceptionCode;
  readonly sku: SkuKey;
  readonly node: NodeKey;
  /** The line's detail; null: it is about what is there. */
  readonly detail: number | null;
}

export interface OpenException {
  readonly key: number;
  readonly code: ExceptionCode;
  readonly subject: string;
  readonly sku: SkuKey;
  readonly node: NodeKey;
  readonly quantity: number;
  /** The line that it is about. */
  readonly line: LineName | null;
  readonly told: readonly ToldPromise[];
  /** Milliseconds. */
  readonly openedAt: number;
}

/** `[reservation key, backing, units, open units of its line, order, due (ms)]`, the last two only where there are. */
type ToldTuple = readonly [
  reservation: number,
  backing: number,
  quantity: number,
  lineOpen: number,
  order?: string,
  dueAt?: number,
];

/** What is kept with an exception. */
export interface ExceptionRefs {
  readonly inbound?: LineName;
  readonly told?: readonly ToldTuple[];
}

export const subjectOf = ({ sku, node, detail }: Omit<ExceptionSubject, 'code'>): string =>
  detail === null ? `stock/${sku}/${node}` : `inbound/${detail}`;

export const refsOf = (line: LineName | null, told: readonly ToldPromise[]): ExceptionRefs => ({
  ...(line === null ? {} : { inbound: { owner: line.owner, id: line.id, line: line.line } }),
  ...(told.length === 0 ? {} : { told: told.map(tupleOf) }),
});

function tupleOf({ reservation, backing, quantity, lineOpen, order, dueAt }: ToldPromise): ToldTuple {
  if (order === null) return [reservation, backing, quantity, lineOpen];
  return dueAt === null
    ? [reservation, backing, quantity, lineOpen, order]
    : [reservation, backing, quantity, lineOpen, order, dueAt];
}

const toldOf = (refs: ExceptionRefs | null): readonly ToldPromise[] =>
  (refs?.told ?? []).map(([reservation, backing, quantity, lineOpen, order = null, dueAt = null]) => {
    return { reservation, backing, quantity, lineOpen, order, dueAt };
  });

interface ExceptionRecord extends Omit<OpenException, 'line' | 'told'> {
  readonly refs: ExceptionRefs | null;
}

export async function readOpenExceptions(
  client: pg.PoolClient,
  skus: readonly SkuKey[],
): Promise<readonly OpenException[]> {
  if (skus.length === 0) return [];
  const { rows } = await client.query<ExceptionRecord>({
    name: 'open-exceptions-of',
    text: `SELECT exception_key AS key, code, subject, sku_key AS sku, node_key AS node, quantity, refs,
                  round(extract(epoch FROM opened_at) * 1000)::bigint AS "openedAt"
             FROM stock_exception WHERE closed_at IS NULL AND sku_key = ANY($1::int[]) ORDER BY exception_key`,
    values: [skus],
  });
  return rows.map(({ refs, ...one }) => ({ ...one, line: refs?.inbound ?? null, told: toldOf(refs) }));
}
