/** Writes exceptions of SKUs whose gates are ours. */
import { firstDue } from '@onepool/stock-domain';
import type pg from 'pg';
import type { Writes } from '../decision/batch-writes.ts';
import { refsOf } from '../repository/open-exceptions.ts';

interface Moment {
  /** Milliseconds. */
  readonly now: number;
}

const time = (milliseconds: string): string => `to_timestamp(${milliseconds} / 1000.0)`;

/** Of a code and what it is about there is one open exception: it is opened, or is from now on as told. */
export function sendExceptions(client: pg.PoolClient, { exceptions }: Writes, { now }: Moment): Promise<unknown> {
  return client.query({
    name: 'write-exceptions',
    text: `INSERT INTO stock_exception (code, subject, sku_key, node_key, supply_key, quantity, refs, due_at, opened_at)
           SELECT x.code, x.subject, x.sku, x.node, x.supply, x.quantity, x.refs, ${time('x.due')}, ${time('$9::float8')}
             FROM unnest($1::text[], $2::text[], $3::int[], $4::int[], $5::bigint[], $6::bigint[], $7::json[], $8::float8[])
               AS x (code, subject, sku, node, supply, quantity, refs, due) ORDER BY x.code, x.subject
           ON CONFLICT (code, subject) WHERE closed_at IS NULL DO UPDATE SET
             quantity = excluded.quantity, refs = excluded.refs, due_at = excluded.due_at`,
    values: [
      exceptions.map(({ code }) => code),
      exceptions.map(({ subject }) => subject),
      exceptions.map(({ sku }) => sku),
      exceptions.map(({ node }) => node),
      exceptions.map(({ supplyKey }) => supplyKey),
      exceptions.map(({ quantity }) => quantity),
      exceptions.map(({ line, told }) => JSON.stringify(refsOf(line, told))),
      exceptions.map(({ told }) => firstDue(told)),
      now,
    ],
  });
}

export function sendClosedExceptions(
  client: pg.PoolClient,
  { closedExceptions }: Writes,
  { now }: Moment,
): Promise<unknown> {
  return client.query({
    name: 'close-exceptions',
    text: `UPDATE stock_exception SET quantity = 0, closed_at = ${time('$2::float8')}, due_at = NULL WHERE exception_key = ANY($1::bigint[])`,
    values: [closedExceptions.map(({ key }) => key), now],
  });
}
