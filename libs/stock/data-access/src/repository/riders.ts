/** Units of fulfilments that are on their way with transfers: whose they are, and how many travel together. */
import { type SkuKey, type SkuSupply, onTheWay, promised, rowOf } from '@onepool/stock-domain';
import type pg from 'pg';
import { kindCode } from '../stock-columns.ts';
import type { Command, ReceiveCommand } from '../requests/command.ts';

/** Of what is read by line, as the index of those who wait has it. */
const RIDES = `kind = ${kindCode('incoming')} AND kind <> 0 AND held + confirmed > 0 AND fulfilment IS NOT NULL`;

/** Keys of all reservations that ride on the lines that commands receive, or tell of once more. */
export async function readRiders(
  client: pg.PoolClient,
  commands: readonly Command[],
  supplies: ReadonlyMap<SkuKey, SkuSupply>,
): Promise<readonly number[]> {
  const lines = commands
    .flatMap((command): readonly Pick<ReceiveCommand['lines'][number], 'sku' | 'detail'>[] =>
      command.kind === 'receive' || command.kind === 'ship' ? command.lines : [],
    )
    .filter(({ sku, detail }) => mayCarry(supplies.get(sku), detail));
  if (lines.length === 0) return [];
  const { rows } = await client.query<{ reservation_key: number }>({
    name: 'riders',
    text: `SELECT DISTINCT b.reservation_key FROM unnest($1::int[], $2::bigint[]) AS k (sku, detail)
            CROSS JOIN LATERAL (SELECT reservation_key FROM backing
                                 WHERE sku_key = k.sku AND detail_key = k.detail AND ${RIDES} OFFSET 0) b`,
    values: [lines.map(({ sku }) => sku), lines.map(({ detail }) => detail)],
  });
  return rows.map(({ reservation_key: key }) => key);
}

/** Whether anybody is promised what a line of a transfer brings; that of a receipt carries nobody. */
function mayCarry(supply: SkuSupply | undefined, detail: number | null): boolean {
  const line = supply?.inbound.find((one) => one.detail === detail);
  return supply !== undefined && line?.brings === 'transfer' && promised(rowOf(supply, onTheWay(line))) > 0;
}

/**
 * How many riders are on their way with the transfers with which more are to be shipped, by the first line that each command names.
 * Not all of their SKUs are locked, so that legs at the same time may come to more.
 */
export async function countRiding(client: pg.PoolClient, commands: readonly Command[]): Promise<Map<number, number>> {
  const firsts = commands.flatMap((command) =>
    command.kind === 'ship' && command.lines.some(({ riders }) => riders.length > 0)
      ? command.lines.slice(0, 1).map(({ detail }) => detail)
      : [],
  );
  if (firsts.length === 0) return new Map();
  const { rows } = await client.query<{ detail: number; riding: number }>({
    name: 'count-riding',
    text: `SELECT k.detail, count(*) AS riding FROM unnest($1::bigint[]) AS k (detail)
             JOIN inbound_line mine ON mine.detail_key = k.detail
             JOIN inbound_line l ON l.inbound_key = mine.inbound_key AND l.is_open
            CROSS JOIN LATERAL (SELECT FROM backing
                                 WHERE sku_key = l.sku_key AND detail_key = l.detail_key AND ${RIDES} OFFSET 0) b
            GROUP BY k.detail`,
    values: [[...new Set(firsts)]],
  });
  return new Map(rows.map(({ detail, riding }) => [detail, Number(riding)]));
}
