import { setImmediate } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { classifyPgError } from '@onepool/platform-postgres';
import { type StockEngine, StockMemory } from '@onepool/stock-data-access';
import { SCHEMA } from '../config.ts';
import { type PoolFixture, createPoolFixture, SPEC } from '../testing/pool-fixture.ts';
import { type SpecReads, readsOf, until } from './asking.ts';

/** How far memory may be behind commit. */
const BEHIND_MAX_MS = 250;

describe('ATP from memory', () => {
  let pool: PoolFixture;
  let here: SpecReads;
  let memory: StockMemory;
  let there: ReturnType<PoolFixture['engine']>;
  let readPool: StockEngine['readPool'];
  const failures: unknown[] = [];
  beforeAll(async () => {
    pool = await createPoolFixture(3, 40);
    const engine = pool.engine({ name: 'remembering' });
    memory = new StockMemory({
      pool: engine.readPool,
      session: engine.lookupPool,
      schema: SCHEMA,
      rules: engine.rules,
      onError: (error) => failures.push(error),
    });
    ({ readPool } = engine);
    memory.start();
    here = readsOf(engine, memory);
    there = pool.engine();
  });
  afterAll(async () => {
    await memory.stop();
    await pool.close();
  });

  const read = (sku: string, minVersion = 0) => here.atpOfOne({ channel: 'web', skus: [sku], minVersion });
  const hold = (sku: string, id: string, quantity = 1, expiresInSeconds = 600) =>
    there.hold(SPEC, { id, channel: 'web', lines: [{ sku, quantity }], expiresInSeconds });

  /** Whether an answer needed nothing of the database. */
  async function isAnsweredFromMemory(sku: string): Promise<boolean> {
    const query = jest.spyOn(readPool, 'query');
    try {
      await read(sku);
      return query.mock.calls.length === 0;
    } finally {
      query.mockRestore();
    }
  }

  it('honours minVersion at once, on the replica that did not write', async () => {
    await pool.receive('sku1', 'n1', 50);
    for (let taken = 1; taken <= 20; taken++) {
      await read('sku1');
      const settled = await hold('sku1', `min-${taken}`);
      if (!settled.ok) throw new Error(settled.rejection.code);
      const version = settled.value.lines[0]?.skuVersion ?? 0;
      expect(await read('sku1', version)).toMatchObject({ atp: 50 - taken, version });
    }
  });

  it('refuses a version that is not reached yet', async () => {
    await expect(read('sku1', 1_000_000)).rejects.toMatchObject({ code: 'version.not_reached' });
  });

  it('is never further behind commit than 250 ms, whoever writes, and says how old it is', async () => {
    await pool.receive('sku2', 'n1', 1_000);
    const committed: { version: number; at: number }[] = [];
    let writing = true;
    const write = async (): Promise<void> => {
      for (let round = 0; round < 150; round++) {
        const settled = await hold('sku2', `fresh-${round}`);
        if (settled.ok) committed.push({ version: settled.value.lines[0]?.skuVersion ?? 0, at: performance.now() });
      }
      writing = false;
    };
    const written = write();
    let reads = 0;
    while (writing) {
      const asked = performance.now();
      const { version } = await read('sku2');
      const owed = committed.filter(({ at }) => at < asked - BEHIND_MAX_MS).at(-1)?.version ?? 0;
      expect(version).toBeGreaterThanOrEqual(owed);
      reads += 1;
      // Memory answers without waiting for anything, so let the writer have its turn.
      await setImmediate();
    }
    await written;
    expect(reads).toBeGreaterThan(10);
  });

  it('shows units of a hold as free from the moment it expires', async () => {
    await pool.receive('sku3', 'n1', 5);
    const settled = await hold('sku3', 'short', 5, 1);
    if (!settled.ok) throw new Error(settled.rejection.code);
    const expiresAt = settled.value.expiresAt ?? '';
    await until('they are free', async () => {
      const { atp, asOf } = await read('sku3', settled.value.lines[0]?.skuVersion);
      expect({ atp, asOf }).toEqual({ atp: asOf < expiresAt ? 0 : 5, asOf });
      return atp > 0;
    });
  });

  it('shows a changed threshold', async () => {
    await pool.receive('sku4', 'n1', 5);
    expect(await read('sku4')).toMatchObject({ atp: 5 });
    await pool.catalog.putThresholds([{ scope: 'node', sku: 'sku4', quantity: 2 }]);
    await until('it is seen', async () => (await read('sku4')).atp < 5);
    expect(await read('sku4')).toMatchObject({ atp: 3 });
  });

  it('goes on through the loss of its session, and answers from memory again', async () => {
    await pool.receive('sku5', 'n1', 5);
    await until('reads come from memory', () => isAnsweredFromMemory('sku5'));
    failures.splice(0);
    await until('its session is ended', async () => {
      const ended: unknown[] = await pool.dataSource.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
          WHERE datname = current_database() AND application_name = 'remembering-lookups' AND query LIKE '%outbox_id_seq%'`,
      );
      return ended.length === 1;
    });
    await until('the loss is noticed', () => failures.length > 0);
    expect(classifyPgError(failures[0])).toBe('connection');
    const settled = await hold('sku5', 'after-loss', 2);
    if (!settled.ok) throw new Error(settled.rejection.code);
    expect(await read('sku5', settled.value.lines[0]?.skuVersion)).toMatchObject({ atp: 3 });
    await until('reads come from memory again', () => isAnsweredFromMemory('sku5'));
    // And the new session tells what changes.
    await hold('sku5', 'after-all', 1);
    await until('the hold is seen', async () => (await read('sku5')).atp === 2);
  });
});
