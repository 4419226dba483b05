import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type PoolFixture, createPoolFixture } from '../testing/pool-fixture.ts';
import { act, done, hold } from './asking.ts';
import { brokenLaws, unservedAtRest } from './laws.ts';

/** Proof that the laws can be broken at all: a check that never fails says nothing. */
describe('the laws of the pool', () => {
  let pool: PoolFixture;
  beforeAll(async () => {
    pool = await createPoolFixture(1, 1);
    const engine = pool.engine();
    await pool.receive('sku1', 'n1', 10);
    done(await hold(engine, 'r1', [['sku1', 2]]));
    done(await act(engine, 'r1', 'confirm', {}));
  });
  afterAll(() => pool.close());

  it.each([
    [
      'a unit promised twice',
      'UPDATE supply SET available = available + 1, committed = committed - 1',
      /open backings/,
    ],
    [
      'a promise that stands on the row of another node',
      `WITH other AS (INSERT INTO supply (supply_key, sku_key, node_key, committed)
         SELECT 0, sku_key, 999, 2 FROM supply RETURNING supply_key)
       UPDATE backing SET supply_key = other.supply_key FROM other`,
      /stands on a row of it/,
    ],
    ['a unit from nowhere', 'UPDATE supply SET available = available + 1', /came in/],
    ['a unit in another state than was posted', 'UPDATE supply SET available = 7, damaged = 1', /sum of its postings/],
    ['a lost unit of a line', 'UPDATE backing SET confirmed = 1', /add up to what was granted/],
    ['a backing of another line', 'UPDATE backing SET line = 1', /belongs to a line/],
    ['a number that no backing has', 'UPDATE backing SET backing_no = 1', /without a gap/],
    ['a stage that nobody told', 'UPDATE backing SET accepted = 1, picked = 0, shipped = 0', /sums of their entries/],
    [
      'a stage of units that have ended',
      `INSERT INTO stage_entry (sku_key, reservation_version, reservation_key, supply_key, occurred_at, recorded_at, units, backing_no, stage)
       SELECT sku_key, 2, reservation_key, supply_key, now(), now(), 1, backing_no, 1 FROM backing`,
      /sums of their entries/,
    ],
    [
      'units that were added to a line and not granted',
      `UPDATE reservation SET amended = '[[0, "1", 1, 1, 0, null]]'`,
      /granted and added/,
    ],
    [
      'an order that has a reservation of another',
      `INSERT INTO controller (actor, order_id, reservation_key) SELECT 'x', 'x', reservation_key FROM reservation`,
      /an order has the reservation/,
    ],
    [
      'a hand-over that nobody told',
      `UPDATE backing SET fulfilment = 'f', confirmed = 1, fulfilled = 1`,
      /told of a fulfilment/,
    ],
    ['a lost fact', `DELETE FROM outbox WHERE data->>'toVersion' = '2'`, /chain without a gap/],
    ['a version that nobody wrote', 'UPDATE sku_gate SET version = version + 1', /in its ledger/],
    [
      'a fact told twice',
      `INSERT INTO outbox (partition, key, subject, event_id, type, source, time, data)
       SELECT partition, key, subject, event_id, type, source, time, data FROM outbox`,
      /told twice/,
    ],
    [
      'units moved before they were there',
      `INSERT INTO ledger (sku_key, ordinal, sku_version, supply_key, quantity, occurred_at, recorded_at, node_key, from_state, to_state, reason, source_key)
       SELECT sku_key, 0, 0, supply_key, 1, now(), now(), node_key, 4, 2, 'x', 0 FROM stock`,
      /did not have at that moment/,
    ],
  ])('notice %s', async (_, fault, notice) => {
    expect(await brokenLaws(pool.dataSource)).toEqual([]);
    expect((await seenAfter(fault, brokenLaws)).join('\n')).toMatch(notice);
  });

  it('notice, once the engine rests, who waits beside what is free', async () => {
    expect(await unservedAtRest(pool.dataSource)).toEqual([]);
    const waits = `UPDATE backing SET kind = 2, node_key = 0`;
    expect((await seenAfter(waits, unservedAtRest)).join('\n')).toMatch(/nobody waits beside/);
    const stops = `WITH stop AS (INSERT INTO sku_stop (sku_key, drains, since) SELECT sku_key, false, now() FROM stock) ${waits}`;
    expect(await seenAfter(stops, unservedAtRest)).toEqual([]);
  });

  async function seenAfter(fault: string, look: typeof brokenLaws): Promise<readonly string[]> {
    const runner = pool.dataSource.createQueryRunner();
    await runner.startTransaction();
    try {
      await runner.query(fault);
      return await look({ query: (sql: string, values: unknown[]) => runner.query(sql, values) });
    } finally {
      await runner.rollbackTransaction();
      await runner.release();
    }
  }
});
