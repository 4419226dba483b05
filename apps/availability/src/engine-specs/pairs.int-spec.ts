/**
 * Whatever two things happen to the same units at the same time, the pool's laws hold. Each pair meets several times on
 * SKUs of its own, through two replicas, with random delays, so that either may come first or both share a batch.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Reservation } from '@onepool/contracts';
import type { Answer, StockEngine } from '@onepool/stock-data-access';
import { type PoolFixture, createPoolFixture, numbered } from '../testing/pool-fixture.ts';
import { act, done, hold, move, readsOf, receipt, record, sale, shift } from './asking.ts';
import { brokenLaws } from './laws.ts';
import { type Random, seeded } from './seeded.ts';

const ROUNDS = 3;
const DELAY_MS_MAX = 6;
const EXPECTED_REFUSALS = new Set([
  'stock.insufficient',
  'reservation.expired',
  'reservation.not_held',
  'reservation.not_confirmed',
  'reservation.conflict',
  'reservation.units_missing',
]);

interface Scene {
  readonly sku: string;
  readonly key: number;
  /** `held` and `confirmed` when the round begins, 3 units each, at n1, and free to move to n2. */
  readonly held: Reservation;
  readonly confirmed: Reservation;
}

/** `nth` tells the two sides of a pair apart. */
type Happening = (engine: StockEngine, scene: Scene, random: Random, nth: number) => Promise<Answer<unknown> | void>;

const onEither = (verb: 'confirm' | 'release' | 'cancel' | 'fulfil'): Happening => {
  return (engine, { held, confirmed }, random, nth) => {
    const { id } = random.pick([held, held, confirmed]);
    return act(engine, id, verb, { commandId: `${id}-${verb}-${nth}` });
  };
};

const HAPPENINGS: Readonly<Record<string, Happening>> = {
  sale: (engine, { sku }, random, nth) =>
    record(engine, `${sku}-sale-${nth}`, [sale(sku, random.pick(['n1', 'n1', 'n2']), 1 + random.below(9))]),
  confirm: onEither('confirm'),
  allocate: (engine, { sku, held, confirmed }, random, nth) => {
    const { id, version } = random.pick([held, confirmed]);
    return move(engine, id, version, [shift(sku, 'n1', 'n2', 1 + random.below(3))], `${id}-move-${nth}`);
  },
  expiry: async (engine, { key }) => void (await engine.tend([key], false)),
  release: onEither('release'),
  cancel: onEither('cancel'),
  fulfil: onEither('fulfil'),
  extend: (engine, { held: { id } }, _, nth) =>
    act(engine, id, 'extend', { commandId: `${id}-extend-${nth}`, expiresInSeconds: 900 }),
  healing: async (engine, { key }) => void (await engine.tend([key], true)),
  hold: (engine, { sku }, random, nth) => hold(engine, `${sku}-late-${nth}`, [[sku, 1 + random.below(8)]]),
  receipt: (engine, { sku }, random, nth) =>
    record(engine, `${sku}-in-${nth}`, [receipt(sku, random.pick(['n1', 'n2']), 1 + random.below(5))]),
};

const names = Object.keys(HAPPENINGS);
const pairs = names.flatMap((first, index) => names.slice(index).map((second) => [first, second] as const));

describe('any two of the verbs, sales, expiry and healing at the same time', () => {
  let pool: PoolFixture;
  let engines: readonly [StockEngine, StockEngine];
  /** What had an effect in any round; a pair whose sides are always refused would prove nothing. */
  const succeeded = new Set<string>();
  beforeAll(async () => {
    pool = await createPoolFixture(2, pairs.length * ROUNDS);
    engines = [pool.engine({ queues: 2 }), pool.engine({ queues: 2 })];
  });
  afterAll(() => pool.close());

  async function sceneOf(sku: string, random: Random, expiring: boolean, short: boolean): Promise<Scene> {
    const [key] = await engines[0].codes.keysOf([sku]);
    done(await record(engines[0], `${sku}-start`, [receipt(sku, 'n1', 8), receipt(sku, 'n2', 4)]));
    const kept = done(await hold(engines[0], `${sku}-c`, [[sku, 3]]));
    const confirmed = done(await act(engines[0], kept.id, 'confirm', {}));
    const expiresInSeconds = expiring ? random.below(DELAY_MS_MAX) / 1_000 : 900;
    const held = done(await hold(engines[0], `${sku}-h`, [[sku, 3]], { expiresInSeconds }));
    // Two promised units are gone, which n2 has.
    if (short) done(await record(engines[0], `${sku}-short`, [sale(sku, 'n1', 4)]));
    return { sku, key: key ?? 0, held, confirmed };
  }

  async function round(sku: string, pair: readonly [string, string], random: Random): Promise<void> {
    const scene = await sceneOf(sku, random, pair.includes('expiry'), pair.includes('healing'));
    const meetings = pair.map(async (name, nth) => {
      const [delay, engine] = [random.below(DELAY_MS_MAX), random.pick(engines)];
      if (delay > 0) await new Promise((resolve) => setTimeout(resolve, delay));
      return HAPPENINGS[name]?.(engine, scene, random, nth);
    });
    for (const [nth, settled] of (await Promise.all(meetings)).entries()) {
      if (settled?.ok) succeeded.add(pair[nth] ?? '');
      if (settled && !settled.ok) expect(EXPECTED_REFUSALS).toContain(settled.rejection.code);
    }
    const after = await brokenLaws(pool.dataSource, [sku]);
    expect({ sku, after }).toEqual({ sku, after: [] });
  }

  it.each(pairs)('%s × %s keeps the laws', (first, second) =>
    seeded(async (random) => {
      const at = pairs.findIndex((pair) => pair[0] === first && pair[1] === second) * ROUNDS;
      const skus = numbered('sku', pairs.length * ROUNDS).slice(at, at + ROUNDS);
      await Promise.all(skus.map((sku) => round(sku, [first, second], random)));
    }),
  );

  it('has every kind of happening succeed at least once', async () => {
    const effects: { name: string }[] = await pool.dataSource.query(
      `SELECT DISTINCT CASE WHEN reason = 'heal' THEN 'healing' ELSE 'expiry' END AS name FROM ledger
        WHERE source_key = 0 AND reason IN ('expire', 'heal')`,
    );
    for (const { name } of effects) succeeded.add(name);
    expect([...succeeded].toSorted()).toEqual(names.toSorted());
  });

  it('leaves a ledger that adds up to the book, and not one deadlock', async () => {
    expect(await readsOf(engines[0]).verifyLedger(undefined)).toMatchObject({ balanced: true });
    expect(await pool.deadlocks()).toBe(0);
  });
});
