/** What callers read cannot stop what is written: each side has connections of its own. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Housekeeping, type StockEngine, StockMemory } from '@onepool/stock-data-access';
import pg from 'pg';
import { SCHEMA } from '../config.ts';
import { type PoolFixture, createPoolFixture, SPEC } from '../testing/pool-fixture.ts';
import { act, backedBy, done, hold, readsOf, record, sale, until } from './asking.ts';

let pool: PoolFixture;
let engine: StockEngine;
let taken: pg.PoolClient[];
const give = (): void => taken.splice(0).forEach((client) => client.release());

/** Takes every connection of a pool, as slow statements do. */
async function exhaust(connections: pg.Pool): Promise<void> {
  const { max } = connections.options;
  taken.push(...(await Promise.all(Array.from({ length: max }, () => connections.connect()))));
}

beforeEach(async () => {
  pool = await createPoolFixture(2, 3);
  engine = pool.engine();
  taken = [];
});
afterEach(async () => {
  give();
  await pool.close();
});

describe('while reads take every connection that they may have', () => {
  beforeEach(async () => {
    await pool.receive('sku1', 'n1', 5);
    await exhaust(engine.readPool);
    await exhaust(engine.auditPool);
  });

  it('holds, verbs, movements and healing go on, with nothing known beforehand', async () => {
    done(await hold(engine, 'r', [['sku1', 4]]));
    done(await act(engine, 'r', 'confirm', {}));
    await pool.receive('sku1', 'n2', 4);
    done(await record(engine, 'pos', [sale('sku1', 'n1', 5)]));
    await new Housekeeping(engine).once();
    give();
    expect(backedBy(await readsOf(engine).reservation(SPEC, 'r'), 'confirmed')).toEqual({ n2: 4 });
  });

  it('memory follows the outbox', async () => {
    const options = { pool: engine.readPool, session: engine.lookupPool, schema: SCHEMA, rules: engine.rules };
    const memory = new StockMemory(options);
    memory.start();
    await until('memory looks at the outbox', async () => {
      const looks: unknown[] = await pool.dataSource.query(
        `SELECT FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%outbox_id_seq%' AND pid <> pg_backend_pid()`,
      );
      return looks.length > 0;
    });
    await memory.stop();
  });
});

describe('heavy questions', () => {
  it('run one at a time each; another is told to come again', async () => {
    const reads = readsOf(engine);
    await exhaust(engine.auditPool);
    const waiting = [reads.verifyLedger(undefined), reads.countEvents('')] as const;
    await expect(reads.verifyLedger(undefined)).rejects.toMatchObject({ code: 'limit.rate' });
    await expect(reads.countEvents('')).rejects.toMatchObject({ code: 'limit.rate' });
    give();
    const [proof, count] = await Promise.all(waiting);
    expect(proof).toMatchObject({ balanced: true });
    expect(count).toBe(0);
    expect(await reads.countEvents('')).toBe(0);
  });
});
