/**
 * Holds that are decided without locks (ADR 0010). Each condition under which such a hold may be written is broken on
 * purpose: the answer is then the one that locks would have given.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { StockEngine } from '@onepool/stock-data-access';
import pg from 'pg';
import { SCHEMA } from '../config.ts';
import { CLIENT, type PoolFixture, createPoolFixture } from '../testing/pool-fixture.ts';
import { codeOf, done, hold, readsOf, record, sale, until } from './asking.ts';
import { brokenLaws } from './laws.ts';

type How = 'optimistic' | 'locked';

let pool: PoolFixture;
let serial = 0;
let sku: string;
let engine: StockEngine;
let decided: How[];
let chained: number;

beforeAll(async () => {
  pool = await createPoolFixture(2, 60);
});
afterAll(() => pool.close());

beforeEach(async () => {
  sku = `sku${++serial}`;
  await pool.receive(sku, 'n1', 10);
  await openEngine(`${sku}-first`);
});

/** An engine that has just held a unit, hence remembers the SKU and trusts what it remembers. */
async function openEngine(id: string): Promise<void> {
  decided = [];
  engine = pool.engine({ queues: 1, hooks: { onDecided: (how) => decided.push(how), onChained: () => chained++ } });
  done(await hold(engine, id, [[sku, 1]]));
  decided.splice(0);
  chained = 0;
}

const rowOf = async () => (await readsOf(pool.engine()).stock(sku)).rows[0];

describe('a hold', () => {
  it('of a SKU that nobody else has touched is decided on what is remembered', async () => {
    for (const id of ['a', 'b', 'c']) done(await hold(engine, `${sku}-${id}`, [[sku, 2]]));
    expect(decided).toEqual(['optimistic', 'optimistic', 'optimistic']);
    expect(await rowOf()).toMatchObject({ available: 3, reserved: 7 });
  });

  it('after another replica took units sees what is left', async () => {
    const other = pool.engine();
    done(await hold(other, `${sku}-other`, [[sku, 7]]));
    const refused = await hold(engine, `${sku}-much`, [[sku, 3]]);
    expect(refused).toMatchObject({ rejection: { code: 'stock.insufficient', details: { shortages: [{ atp: 2 }] } } });
    done(await hold(engine, `${sku}-little`, [[sku, 2]]));
    expect(await rowOf()).toMatchObject({ available: 0, reserved: 10 });
  });

  it('obeys a rule that was changed since', async () => {
    await pool.catalog.putThresholds([{ scope: 'node', sku, quantity: 8 }]);
    expect(codeOf(await hold(engine, `${sku}-hidden`, [[sku, 2]]))).toBe('stock.insufficient');
    done(await hold(engine, `${sku}-shown`, [[sku, 1]]));
    expect(decided).toContain('locked');
  });

  it('gets the units of holds that have run out', async () => {
    done(await hold(engine, `${sku}-short`, [[sku, 9]], { expiresInSeconds: 0.05 }));
    const all = await until('they have run out', async () => {
      const settled = await hold(engine, `${sku}-all`, [[sku, 9]]);
      return settled.ok;
    });
    expect(all).toBeUndefined();
    expect(await rowOf()).toMatchObject({ available: 0, reserved: 10 });
  });

  it('that was asked before is answered as it was then, and another body under its id is a mismatch', async () => {
    const first = done(await hold(engine, `${sku}-twice`, [[sku, 2]]));
    expect(await hold(engine, `${sku}-twice`, [[sku, 2]])).toEqual({ ok: true, value: first, replayed: true });
    expect(codeOf(await hold(engine, `${sku}-twice`, [[sku, 3]]))).toBe('idempotency.mismatch');
    expect(await rowOf()).toMatchObject({ available: 7, reserved: 3 });
  });

  it('that was granted is answered as granted when it is asked again in a batch that has no units left for it', async () => {
    const first = done(await hold(engine, `${sku}-big`, [[sku, 6]]));
    for (let round = 0; round < 3; round++) {
      // One turn, hence one batch: a new hold that fits, and the old one, which would not.
      const asked = [hold(engine, `${sku}-new-${round}`, [[sku, 1]]), hold(engine, `${sku}-big`, [[sku, 6]])] as const;
      const [fits, again] = await Promise.all(asked);
      expect(codeOf(fits)).toBeNull();
      expect(again).toEqual({ ok: true, value: first, replayed: true });
      const other = await Promise.all([
        hold(engine, `${sku}-big`, [[sku, 7]]),
        hold(engine, `${sku}-new-${round}`, [[sku, 1]]),
      ]);
      expect(codeOf(other[0])).toBe('idempotency.mismatch');
    }
  });

  it('that is refused was decided under locks, and so was what is granted while a stranger holds the gate', async () => {
    expect(codeOf(await hold(engine, `${sku}-more`, [[sku, 100]]))).toBe('stock.insufficient');
    const stranger = new pg.Client({ connectionString: pool.url, options: `-c search_path=${SCHEMA}` });
    await stranger.connect();
    await stranger.query('BEGIN');
    await stranger.query(
      'SELECT FROM sku_gate JOIN sku_code USING (sku_key) WHERE code = $1 FOR NO KEY UPDATE OF sku_gate',
      [sku],
    );
    const waiting = hold(engine, `${sku}-waits`, [[sku, 1]]);
    await until('it waits for the gate', async () => {
      const rows: unknown[] = await pool.dataSource.query(
        `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
      );
      return rows.length > 0;
    });
    await stranger.query('ROLLBACK');
    await stranger.end();
    done(await waiting);
    // Who waits for the gate for long is decided more than once.
    expect([...new Set(decided)]).toEqual(['locked']);
  });
});

describe('batches that rest on one another', () => {
  const strangers: pg.Client[] = [];
  afterEach(async () => {
    await Promise.all(strangers.splice(0).map((stranger) => stranger.end()));
  });

  /** A session of the schema's owner that is in a transaction from its first statement on. */
  async function stranger(): Promise<pg.Client> {
    const client = new pg.Client({ connectionString: pool.ownerUrl, options: `-c search_path=${SCHEMA}` });
    strangers.push(client);
    await client.connect();
    await client.query('BEGIN');
    return client;
  }

  const waits = (what: string, statement: string): Promise<void> =>
    until(what, async () => {
      const rows: unknown[] = await pool.dataSource.query(
        `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE $1`,
        [statement],
      );
      return rows.length > 0;
    });
  const HOLD = '%gates_locked%';
  const NO_RESERVATION_IS_WRITTEN = 'LOCK TABLE reservation IN SHARE MODE';
  const chainIsFormed = (): Promise<void> => until('one rests on another', () => chained === 1);
  const versionOf = async () => (await readsOf(engine).stock(sku)).version;

  it('are decided on what the one before, still under way, will have written', async () => {
    const locker = await stranger();
    await locker.query(NO_RESERVATION_IS_WRITTEN);
    const first = hold(engine, `${sku}-a`, [[sku, 2]]);
    await waits('the first is under way', HOLD);
    const second = hold(engine, `${sku}-b`, [[sku, 7]]);
    await chainIsFormed();
    await locker.query('COMMIT');
    for (const settled of await Promise.all([first, second])) done(settled);
    expect(decided).toEqual(['optimistic', 'optimistic']);
    expect(await rowOf()).toMatchObject({ available: 0, reserved: 10 });
  });

  it('never rest on one that failed, though a stranger brings the SKU to the foreseen version', async () => {
    const other = pool.engine();
    for (let round = 1; round <= 15; round++) {
      const id = `${sku}-${round}`;
      // A key that is being written elsewhere makes the first batch fail after its gate was locked and found unchanged.
      const writer = await stranger();
      await writer.query(
        `INSERT INTO reservation (reservation_key, owner, id, body_hash, channel_key, version, created_at, first_expires_at, expires_at, lines)
         SELECT -$1::bigint, '${CLIENT}', $2, '', 1, 1, now(), now(), now(), '[]'`,
        [serial * 100 + round, `${id}-a`],
      );
      await openEngine(`${id}-first`);
      const before = await versionOf();
      const first = hold(engine, `${id}-a`, [[sku, 1]]);
      await waits('the first is under way', HOLD);
      const second = hold(engine, `${id}-b`, [[sku, 1]]);
      await chainIsFormed();
      // The second runs behind the first, but not before this one, which waits for the first to end, lets it.
      const locker = await stranger();
      const locked = locker.query(NO_RESERVATION_IS_WRITTEN);
      await waits('the second will wait', NO_RESERVATION_IS_WRITTEN);
      await writer.query('COMMIT');
      await locked;
      expect(codeOf(await first)).toBe('idempotency.mismatch');
      // Exactly one step of the version, as the first batch would have taken.
      done(await record(other, `${id}-pos`, [sale(sku, 'n1', 1)]));
      expect(await versionOf()).toBe(before + 1);
      await locker.query('COMMIT');
      done(await second);
      expect(await brokenLaws(pool.dataSource)).toEqual([]);
      await pool.dataSource.query('DELETE FROM reservation WHERE reservation_key < 0');
      await pool.receive(sku, 'n1', 3);
    }
  });
});
