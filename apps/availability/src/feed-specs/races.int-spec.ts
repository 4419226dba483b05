import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Housekeeping, type StockEngine, type StockFeeds } from '@onepool/stock-data-access';
import { done, act, hold, holdGate, readsOf, receipt, record, sale, until } from '../engine-specs/asking.ts';
import { brokenLaws } from '../engine-specs/laws.ts';
import { type Random, seeded } from '../engine-specs/seeded.ts';
import { CLIENT, type PoolFixture, createPoolFixture, numbered } from '../testing/pool-fixture.ts';
import { type Told, feedsOn, send } from './feeding.ts';

const SKUS = numbered('sku', 12);
const NODES = numbered('n', 3);
let pool: PoolFixture;
beforeEach(async () => {
  pool = await createPoolFixture(NODES.length, SKUS.length);
});
afterEach(() => pool.close());

const everywhere = (quantity: () => number): Told[] =>
  SKUS.flatMap((sku) => NODES.map((node) => ({ sku, node, quantity: quantity() })));
const isDone = async (feeds: StockFeeds, id: string): Promise<boolean> =>
  done(await feeds.reads.feed(CLIENT, id)).state === 'done';
const endSession = async (application: string): Promise<number> => {
  const rows: unknown[] = await pool.dataSource.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = $1`,
    [application],
  );
  return rows.length;
};

describe('feeds beside holds, sales and shipments, in two replicas', () => {
  const life = async (engines: readonly StockEngine[], id: string, random: Random): Promise<void> => {
    const engine = random.pick(engines);
    const [sku, node] = [random.pick(SKUS), random.pick(NODES)];
    const minutes = random.below(4) * 60_000;
    const occurredAt = new Date(Date.now() - minutes).toISOString();
    await record(engine, `${id}-s`, [sale(sku, node, 1 + random.below(3))], { occurredAt });
    const held = await hold(engine, id, [
      [sku, 1 + random.below(3)],
      [random.pick(SKUS), 1],
    ]);
    if (!held.ok || !(await act(engine, id, 'confirm', {})).ok) return;
    if (random.below(2)) await act(engine, id, 'fulfil', random.below(2) ? { occurredAt } : {});
    else await act(engine, id, 'cancel', {});
  };

  it('keep every law, and every feed is done', () =>
    seeded(async (random) => {
      const engines = [pool.engine(), pool.engine()] as const;
      const failures: unknown[] = [];
      const onError = (error: unknown): void => void failures.push(error);
      const replicas = [feedsOn(pool, { rowsPerChunk: 5, onError }), feedsOn(pool, { rowsPerChunk: 7, onError })];
      const keeper = new Housekeeping(engines[0], { intervalMs: 5, onError });
      for (const { worker } of replicas) worker.start();
      keeper.start();
      const ids: string[] = [];
      const feeding = async (feeds: StockFeeds, source: string): Promise<void> => {
        for (let round = 0; round < 5; round += 1) {
          const isDelta = random.below(3) === 0;
          const rows = everywhere(() => (isDelta ? 1 + random.below(3) : random.below(12))).filter(() =>
            random.below(4),
          );
          const measure = random.pick(['physical', 'availability'] as const);
          const minutes = random.below(3) * 60_000;
          const query = { source, measure, mode: isDelta ? 'delta' : 'reset', at: Date.now() - minutes } as const;
          ids.push((await send(feeds, rows, query)).id);
        }
      };
      await Promise.all([
        ...replicas.flatMap((feeds, index) => [feeding(feeds, `source${index}`), feeding(feeds, 'wms')]),
        ...numbered('buyer', 12).map(async (buyer) => {
          for (const id of numbered(`${buyer}-`, 12)) await life(engines, id, random);
        }),
      ]);
      for (const id of ids) await until(`${id} is done`, () => isDone(replicas[0]!, id));
      await keeper.stop();
      expect(failures).toEqual([]);
      expect(await brokenLaws(pool.dataSource)).toEqual([]);
      expect(await readsOf(engines[0]).verifyLedger(undefined)).toMatchObject({ balanced: true });
      const staging = await pool.dataSource.query(`SELECT relname FROM pg_class WHERE relname LIKE 'feed\\_stage\\_%'`);
      expect(staging).toEqual([]);
      await Promise.all(replicas.map((feeds) => feeds.close()));
      expect(await pool.deadlocks()).toBe(0);
    }));
});

describe('a worker that loses its session in the middle of a chunk', () => {
  const book = async (): Promise<unknown> =>
    pool.dataSource.query('SELECT sku_key, node_key, available, reserved, shortfall, on_hand FROM stock ORDER BY 1, 2');
  const postings = async (): Promise<unknown> =>
    pool.dataSource.query(
      `SELECT sku_key, node_key, from_state, to_state, quantity FROM ledger WHERE reason IN ('reset', 'delta') ORDER BY 1, 2, 3, 4, 5`,
    );

  it.each(['reset', 'delta'] as const)('goes on where it was: a %s takes effect exactly once', async (mode) => {
    const engine = pool.engine();
    const stocked = SKUS.map((sku) => receipt(sku, 'n1', 5));
    await record(engine, 'r', stocked, { occurredAt: new Date(Date.now() - 3_600_000).toISOString() });
    await hold(engine, 'h', [['sku5', 4]]);
    const errors: unknown[] = [];
    const feeds = feedsOn(pool, { rowsPerChunk: 3, onError: (error) => void errors.push(error) });
    const gate = await holdGate(pool, 'sku7');
    const rows = everywhere(() => 2).map((row, index) => ({ ...row, recordId: `r${index}` }));
    const { id } = await send(feeds, rows, { mode });
    feeds.worker.start();
    await gate.waitedForBy(1);
    const midway = done(await feeds.reads.feed(CLIENT, id));
    expect(midway.state).toBe('applying');
    expect(await endSession('availability-feed-apply')).toBe(1);
    await until('the worker has noticed', () => errors.length > 0);
    await gate.waitedForBy(1);
    await gate.release();
    await until('the feed is done', () => isDone(feeds, id));
    const counts = { received: 36, staged: 36, refused: 0 };
    expect(done(await feeds.reads.feed(CLIENT, id))).toMatchObject({ percentage: 100, rows: counts });
    const found = await book();
    const made = await postings();
    expect(await brokenLaws(pool.dataSource)).toEqual([]);
    await feeds.close();

    // The same history without the loss.
    await pool.close();
    pool = await createPoolFixture(NODES.length, SKUS.length);
    const calm = feedsOn(pool);
    const other = pool.engine();
    await record(other, 'r', stocked, { occurredAt: new Date(Date.now() - 3_600_000).toISOString() });
    await hold(other, 'h', [['sku5', 4]]);
    await send(calm, rows, { mode });
    await calm.worker.once();
    expect(found).toEqual(await book());
    expect(made).toEqual(await postings());
    await calm.close();
  });

  it('and one that was thought dead changes nothing when it comes back', async () => {
    await pool.receive('sku1', 'n1', 1);
    const [one, other] = [feedsOn(pool, { rowsPerChunk: 3 }), feedsOn(pool, { rowsPerChunk: 3 })];
    const gate = await holdGate(pool, 'sku1');
    const { id } = await send(
      one,
      everywhere(() => 2),
    );
    const slow = one.worker.once();
    await gate.waitedForBy(1);
    await pool.dataSource.query(`UPDATE feed SET lease_until = '-infinity'`);
    const quick = other.worker.once();
    await gate.waitedForBy(2);
    await gate.release();
    await Promise.all([slow, quick]);
    expect(done(await one.reads.feed(CLIENT, id))).toMatchObject({
      state: 'done',
      rows: { applied: 36, unchanged: 0 },
    });
    expect(await brokenLaws(pool.dataSource)).toEqual([]);
    await Promise.all([one.close(), other.close()]);
  });
});

describe('counts of states beside what else happens', () => {
  const now = Date.now();
  const ago = (minutes: number): string => new Date(now - minutes * 60_000).toISOString();
  const at = { sku: 'sku1', node: 'n1' } as const;
  const damagedAt = async (): Promise<Record<string, number>> => {
    const rows: { place: string; damaged: number }[] = await pool.dataSource.query(
      `SELECT concat(k.code, '@', n.code) AS place, damaged::int FROM stock JOIN sku_code k USING (sku_key) JOIN rules_node n USING (node_key)`,
    );
    return Object.fromEntries(rows.map(({ place, damaged }) => [place, damaged]));
  };
  const stock = async (engine: StockEngine): Promise<void> => {
    const received = SKUS.flatMap((sku) => NODES.map((node) => receipt(sku, node, 1_000)));
    done(await record(engine, 'stock', received, { occurredAt: ago(90) }));
  };

  it('are right by movements that come to their gate before and after them', async () => {
    const engine = pool.engine();
    const feeds = feedsOn(pool);
    await stock(engine);
    const gate = await holdGate(pool, 'sku1');
    await send(feeds, [{ ...at, quantity: 3, state: 'damaged' }], { at: now - 10 * 60_000 });
    const damage = { type: 'damage', ...at, quantity: 2 } as const;
    const first = record(engine, 'since', [damage], { occurredAt: ago(5) });
    await gate.waitedForBy(1);
    const applying = feeds.worker.once();
    await gate.waitedForBy(2);
    const then = record(pool.engine(), 'before', [damage], { occurredAt: ago(20) });
    await gate.waitedForBy(3);
    await gate.release();
    for (const answer of await Promise.all([first, then])) done(answer);
    await applying;
    expect((await damagedAt())['sku1@n1']).toBe(5);
    expect(await brokenLaws(pool.dataSource)).toEqual([]);
    await feeds.close();
  });

  it('come to the same as one after the other, in two replicas', () =>
    seeded(async (random) => {
      const engines = [pool.engine(), pool.engine()];
      const replicas = [feedsOn(pool, { rowsPerChunk: 5 }), feedsOn(pool, { rowsPerChunk: 7 })];
      await stock(engines[0]!);
      const events: { place: string; minutes: number; quantity: number }[] = [];
      const counts: { place: string; minutes: number; quantity: number }[] = [];
      const telling = numbered('life', 60).map(async (id) => {
        const [sku, node] = [random.pick(SKUS), random.pick(NODES)];
        const [minutes, quantity] = [1 + random.below(50), 1 + random.below(3)];
        events.push({ place: `${sku}@${node}`, minutes, quantity });
        const told = { type: 'damage', sku, node, quantity } as const;
        done(await record(random.pick(engines), id, [told], { occurredAt: ago(minutes) }));
        await hold(random.pick(engines), `${id}-h`, [[sku, 1]]);
      });
      const counting = replicas.map(async (replica, place) => {
        for (let round = 0; round < 4; round += 1) {
          // No two counts are of one moment.
          const minutes = 1 + random.below(50) + place / 2 + round / 10;
          const rows = everywhere(() => 20 + random.below(9)).map((row) => ({ ...row, state: 'damaged' }));
          for (const { sku, node, quantity } of rows) counts.push({ place: `${sku}@${node}`, minutes, quantity });
          await send(replica, rows, { at: now - minutes * 60_000, source: `wms-${place}` });
          await replica.worker.once();
        }
      });
      await Promise.all([...telling, ...counting]);
      // What one has left to the other, which had just looked.
      await Promise.all(replicas.map((replica) => replica.worker.once()));
      const expected = new Map<string, { minutes: number; units: number }>();
      for (const { place, minutes, quantity } of counts.toSorted((a, b) => b.minutes - a.minutes))
        expected.set(place, { minutes, units: quantity });
      for (const { place, minutes, quantity } of events) {
        const known = expected.get(place)!;
        if (minutes < known.minutes) known.units += quantity;
      }
      const places = [...expected].map(([place, { units }]) => [place, units] as const);
      expect(await damagedAt()).toEqual(Object.fromEntries(places));
      expect(await brokenLaws(pool.dataSource)).toEqual([]);
      await Promise.all(replicas.map((replica) => replica.close()));
      expect(await pool.deadlocks()).toBe(0);
    }));
});
