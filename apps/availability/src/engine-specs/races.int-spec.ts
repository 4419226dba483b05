import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type PoolFixture, createPoolFixture, numbered, unitsOf, SPEC } from '../testing/pool-fixture.ts';
import { act, backedBy, codeOf, done, hold, holdGate, readsOf, record, sale } from './asking.ts';
import { brokenLaws } from './laws.ts';
import { type Random, seeded } from './seeded.ts';

const CLIENTS = 64;

/** Runs the tasks as that many clients do, each sending its next request when its last one is answered. */
async function byClients<T>(tasks: readonly (() => Promise<T>)[]): Promise<readonly T[]> {
  const answers: T[] = [];
  let next = 0;
  const client = async (): Promise<void> => {
    for (let task = tasks[next++]; task; task = tasks[next++]) answers.push(await task());
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
  return answers;
}

const threeOf = (skus: readonly string[], random: Random): [string, number][] => {
  const left = [...skus];
  return [1, 2, 3].map(() => {
    const [sku = ''] = left.splice(random.below(left.length), 1);
    return [sku, 1];
  });
};

describe('many buyers, few units, two replicas', () => {
  let pool: PoolFixture;
  beforeEach(async () => {
    pool = await createPoolFixture(10, 6);
  });
  afterEach(() => pool.close());
  const replicas = () => [pool.engine(), pool.engine()] as const;

  it('64 clients race 5,000 holds for 1,000 units over 10 nodes: exactly 1,000 are granted', async () => {
    for (const node of numbered('n', 10)) await pool.receive('sku1', node, 100);
    const [one, other] = replicas();
    const settled = await byClients(
      numbered('buyer', 5_000).map((id, index) => () => hold(index % 2 ? one : other, id, [['sku1', 1]])),
    );
    const refusals = settled.map(codeOf).filter((code) => code !== null);
    expect(settled.length - refusals.length).toBe(1_000);
    expect(new Set(refusals)).toEqual(new Set(['stock.insufficient']));
    const reads = readsOf(one);
    expect(await reads.atpOfOne({ channel: 'web', skus: ['sku1'] })).toMatchObject({ atp: 0 });
    expect(await reads.verifyLedger(undefined)).toMatchObject({ balanced: true, rowsChecked: 10 });
    expect(await brokenLaws(pool.dataSource)).toEqual([]);
  });

  it('carts of 3 lines in random order never deadlock, and sell out what they can', () =>
    seeded(async (random) => {
      const skus = numbered('sku', 6);
      for (const sku of skus) for (const node of numbered('n', 10)) await pool.receive(sku, node, 10);
      const [one, other] = replicas();
      const settled = await byClients(
        numbered('cart', 1_000).map((id, index) => () => hold(index % 2 ? one : other, id, threeOf(skus, random))),
      );
      const granted = settled.filter(({ ok }) => ok).length;
      expect(new Set(settled.map(codeOf))).toEqual(new Set([null, 'stock.insufficient']));
      const atp = await readsOf(one).atp({ channel: 'web', skus });
      const left = atp.reduce((sum, { atp: units }) => sum + units, 0);
      expect(left).toBe(600 - 3 * granted);
      // 200 carts would take everything; carts that wait for one another, or give nothing back, stay far below.
      expect(granted).toBeGreaterThan(150);
      expect(await brokenLaws(pool.dataSource)).toEqual([]);
      expect(await pool.deadlocks()).toBe(0);
    }));

  it('carts, verbs, sales and sweeps over the same SKUs never deadlock', () =>
    seeded(async (random) => {
      const skus = numbered('sku', 4);
      for (const sku of skus) await pool.receive(sku, 'n1', 500);
      const engines = replicas();
      const keys = [...(await engines[0].codes.keysOf(skus))].filter((key) => key !== null);
      const life = async (id: string): Promise<void> => {
        const there = () => random.pick(engines);
        if (!(await hold(there(), id, threeOf(skus, random))).ok) return;
        const lines = threeOf(skus, random).map(([sku]) => sale(sku, 'n1', 1));
        await Promise.all([
          act(there(), id, 'confirm', {}),
          record(there(), `${id}-pos`, lines),
          there().tend([...keys].reverse(), true),
        ]);
        await act(there(), id, random.pick(['fulfil', 'cancel']), {});
      };
      await byClients(numbered('cart', 250).map((id) => () => life(id)));
      expect(await brokenLaws(pool.dataSource)).toEqual([]);
      expect(await pool.deadlocks()).toBe(0);
    }));
});

describe('one key, two replicas, at the same moment', () => {
  let pool: PoolFixture;
  beforeEach(async () => {
    pool = await createPoolFixture(2, 2);
    for (const sku of ['sku1', 'sku2']) await pool.receive(sku, 'n1', 50);
  });
  afterEach(() => pool.close());

  it('a hold takes effect once and both replicas answer the same', async () => {
    const replicas = [pool.engine(), pool.engine()] as const;
    for (const id of numbered('twin', 20)) {
      const [a, b] = await Promise.all(replicas.map((engine) => hold(engine, id, [['sku1', 2]])));
      expect(done(a!)).toEqual(done(b!));
      expect([a, b].filter((settled) => settled?.ok && settled.replayed)).toHaveLength(1);
    }
    const stock = await readsOf(replicas[0]).stock('sku1');
    expect(stock.rows).toMatchObject([{ node: 'n1', available: 10, reserved: 40 }]);
    expect(await brokenLaws(pool.dataSource)).toEqual([]);
  });

  it('a verb and movements take effect once and both replicas answer the same', async () => {
    const replicas = [pool.engine(), pool.engine()] as const;
    for (const id of numbered('twin', 10)) {
      done(await hold(replicas[0], id, [['sku1', 1]]));
      const verbs = await Promise.all(replicas.map((engine) => act(engine, id, 'confirm', {})));
      expect(done(verbs[0]!)).toEqual(done(verbs[1]!));
      expect(unitsOf(done(verbs[0]!), 'confirmed')).toBe(1);
      const sold = await Promise.all(replicas.map((engine) => record(engine, `${id}-pos`, [sale('sku1', 'n1', 1)])));
      expect(done(sold[0]!)).toEqual(done(sold[1]!));
    }
    const stock = await readsOf(replicas[0]).stock('sku1');
    expect(stock.rows).toMatchObject([{ node: 'n1', onHand: 40, available: 30, committed: 10 }]);
  });

  it.each([
    ['the same SKU', ['sku1', 'sku1']],
    ['no SKU in common', ['sku1', 'sku2']],
  ])('with another body and %s, exactly one side is idempotency.mismatch', async (_, [mine, yours]) => {
    const replicas = [pool.engine(), pool.engine()] as const;
    for (const id of numbered('key', 20)) {
      const settled = await Promise.all([hold(replicas[0], id, [[mine!, 1]]), hold(replicas[1], id, [[yours!, 2]])]);
      expect(settled.map(codeOf).toSorted()).toEqual(['idempotency.mismatch', null]);
    }
    const moved = await Promise.all([
      record(replicas[0], 'pos-1', [sale(mine!, 'n1', 1)]),
      record(replicas[1], 'pos-1', [sale(yours!, 'n1', 2)]),
    ]);
    expect(moved.map(codeOf).toSorted()).toEqual(['idempotency.mismatch', null]);
    expect(await brokenLaws(pool.dataSource)).toEqual([]);
  });

  it('with another body and no SKU in common, the one that commits first has the key, and the other is a mismatch', async () => {
    const replicas = [pool.engine({ queues: 1 }), pool.engine({ queues: 1 })] as const;
    const gate = await holdGate(pool, 'sku1');
    const first = hold(replicas[0], 'key', [['sku1', 1]]);
    await gate.waitedForBy(1);
    const second = hold(replicas[1], 'key', [['sku2', 1]]);
    expect(codeOf(await second)).toBe(null);
    await gate.release();
    expect(codeOf(await first)).toBe('idempotency.mismatch');
  });

  it('one key in one batch: the later one is a replay, or a mismatch when its body differs', async () => {
    const engine = pool.engine({ queues: 1 });
    const settled = await Promise.all([
      hold(engine, 'key', [['sku1', 1]]),
      hold(engine, 'key', [['sku1', 1]]),
      hold(engine, 'key', [['sku1', 2]]),
    ]);
    expect(settled.map((answer) => (answer.ok ? answer.replayed : answer.rejection.code))).toEqual([
      false,
      true,
      'idempotency.mismatch',
    ]);
  });

  it('keys are scoped to their API client', async () => {
    const engine = pool.engine();
    const request = { id: 'key', channel: 'web', lines: [{ sku: 'sku1', quantity: 1 }] };
    const mine = done(await engine.hold(SPEC, request));
    const theirs = await engine.hold(
      { ...SPEC, actor: 'another' },
      { ...request, lines: [{ sku: 'sku1', quantity: 2 }] },
    );
    expect(backedBy(mine)).toEqual({ n1: 1 });
    expect(backedBy(done(theirs))).toEqual({ n1: 2 });
    expect(codeOf(await act(engine, 'unheard-of', 'confirm', {}))).toBe('reservation.unknown');
  });
});
