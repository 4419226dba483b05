/** What the end of a history is good for: counts by a clock that is ahead, and counts of availability, of a row that has been through a lot. */
import assert from 'node:assert/strict';
import { type Told, past } from '@onepool/stock-domain/testing';
import { done, record, sale } from '../asking.ts';
import { type HistoryStage, nodeCode, skuCode } from './stage.ts';

const AHEAD_MS = 240_000;
const SKU = 1;
const NODE = 1;
const COUNTED = 50;
const SOLD = 3;
const AVAILABLE = 20;

export async function judgeClocks(stage: HistoryStage, history: number, { reservations }: Told): Promise<void> {
  const place = { sku: skuCode(history, SKU), node: nodeCode(NODE) };
  const row = async (): Promise<{ net: number; kept: number }> => {
    const [found] = (await stage.pool.dataSource.query(
      `SELECT net::int, (damaged + quality_control)::int AS kept FROM stock JOIN sku_code k USING (sku_key) JOIN rules_node n USING (node_key)
        WHERE k.code = $1 AND n.code = $2`,
      [place.sku, place.node],
    )) as { net: number; kept: number }[];
    return found ?? { net: 0, kept: 0 };
  };
  await stage.feeds.tell('reset', [{ ...place, quantity: COUNTED, at: Date.now() + AHEAD_MS }]);
  done(await record(stage.engines[0], `h${history}-sold`, [sale(place.sku, place.node, SOLD)]));
  assert.equal((await row()).net, COUNTED - SOLD, 'what happens after a count by a clock that is ahead');
  await stage.feeds.tell('accepted', [{ ...place, quantity: AVAILABLE }]);
  const working = reservations
    .flatMap(({ piles }) => piles)
    .filter((pile) => pile.sku === SKU && pile.node === NODE)
    .reduce((sum, pile) => sum + past(pile, 1), 0);
  const { net, kept } = await row();
  assert.equal(net, AVAILABLE + working + kept, 'what a count of availability leaves out is there as well');
}
