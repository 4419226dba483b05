/** A gate that somebody holds, as a feed's chunk does, keeps those waiting who want it, and nobody else. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { SCHEMA } from '../config.ts';
import { type PoolFixture, createPoolFixture } from '../testing/pool-fixture.ts';
import { codeOf, done, hold, record, sale } from './asking.ts';

const KEPT = 'sku1';
const FREE = 'sku2';

let pool: PoolFixture;
let holder: pg.Client;

beforeAll(async () => {
  pool = await createPoolFixture(2, 60);
  for (const sku of [KEPT, FREE]) await pool.receive(sku, 'n1', 10);
  holder = new pg.Client({ connectionString: pool.url, options: `-c search_path=${SCHEMA}` });
  await holder.connect();
});
afterAll(async () => {
  await holder.end();
  await pool.close();
});

const lock = async (): Promise<void> => {
  await holder.query('BEGIN');
  await holder.query(
    `SELECT FROM sku_gate WHERE sku_key = (SELECT sku_key FROM sku_code WHERE code = '${KEPT}') FOR UPDATE`,
  );
};

/** True once it has been answered, without waiting for that. */
function watch(asked: Promise<unknown>): { readonly answered: boolean } {
  const state = { answered: false };
  void asked.then(() => (state.answered = true));
  return state;
}

describe('while a gate is held', () => {
  it.each([
    ['decided without locks', true],
    ['decided under locks', false],
  ])('a hold of another SKU in the same batch, %s, is answered, and the one that waits in the end', async (_, warm) => {
    const engine = pool.engine({ queues: 1 });
    const id = `${warm}`;
    if (warm) for (const sku of [KEPT, FREE]) done(await hold(engine, `${id}-warm-${sku}`, [[sku, 1]]));
    await lock();
    const [kept, free] = [hold(engine, `${id}-kept`, [[KEPT, 1]]), hold(engine, `${id}-free`, [[FREE, 1]])];
    const waiting = watch(kept);
    done(await free);
    done(await hold(engine, `${id}-later`, [[FREE, 1]]));
    expect(waiting.answered).toBe(false);
    await holder.query('COMMIT');
    done(await kept);
  });

  it('so is a movement', async () => {
    const engine = pool.engine({ queues: 1 });
    await lock();
    const kept = record(engine, 'sale-kept', [sale(KEPT, 'n1', 1)]);
    const free = record(engine, 'sale-free', [sale(FREE, 'n1', 1)]);
    const waiting = watch(kept);
    expect(codeOf(await free)).toBeNull();
    expect(waiting.answered).toBe(false);
    await holder.query('COMMIT');
    expect(codeOf(await kept)).toBeNull();
  });
});
