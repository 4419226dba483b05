import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Reservation } from '@onepool/contracts';
import { type Answer, Housekeeping, type StockEngine } from '@onepool/stock-data-access';
import { type PoolFixture, createPoolFixture, numbered } from '../testing/pool-fixture.ts';
import { act, codeOf, done, hold, move, readsOf, receipt, record, sale, shift } from './asking.ts';
import { brokenLaws } from './laws.ts';
import { type Random, seeded } from './seeded.ts';

const BUYERS = 16;
const CARTS_EACH = 25;
const NODES = ['n1', 'n2', 'n3', 'n4'];
const SKUS = numbered('sku', 6);
/** Refusals that a mixed load may meet; anything else is a fault of the engine. */
const EXPECTED_REFUSALS = new Set([
  'stock.insufficient',
  'reservation.expired',
  'reservation.not_held',
  'reservation.not_confirmed',
  'reservation.conflict',
  'reservation.units_missing',
  'movement.exceeds_stock',
]);

/** A request whose every choice is made, so that it can be sent again just as it was. */
type Request<T> = (engine: StockEngine) => Promise<Answer<T>>;

function anyMovement(random: Random): Parameters<typeof record>[2][number] {
  const [sku, node, quantity] = [random.pick(SKUS), random.pick(NODES), 1 + random.below(6)];
  const kinds = ['sale', 'sale', 'receipt', 'found', 'damage', 'adjustment', 'transfer', 'safety_stock'] as const;
  const type = random.pick(kinds);
  switch (type) {
    case 'receipt':
      return receipt(sku, node, quantity);
    case 'found':
    case 'damage':
      return { type, sku, node, quantity };
    case 'adjustment':
    case 'safety_stock':
      return { type, sku, node, quantity: random.pick([quantity, -quantity]) };
    case 'transfer':
      return { type, sku, node, toNode: random.pick(NODES), quantity };
    case 'sale':
      return sale(sku, node, quantity);
  }
}

function anyHold(id: string, random: Random): Request<Reservation> {
  const some = SKUS.filter(() => random.below(3) === 0);
  const lines = (some.length > 0 ? some : ['sku1']).map((sku) => [sku, 1 + random.below(4)] as const);
  const expiresInSeconds = random.pick([0.01, 0.05, 900, 900]);
  const allowPartial = random.below(3) === 0;
  return (engine) => hold(engine, id, lines, { allowPartial, expiresInSeconds });
}

function anyVerb({ id, version, lines }: Reservation, commandId: string, random: Random): Request<unknown> {
  const verb = random.pick(['confirm', 'confirm', 'fulfil', 'release', 'cancel', 'extend', 'move'] as const);
  const expiresInSeconds = random.below(40) / 1_000;
  const [sku = '', to] = [lines[0]?.sku, random.pick(NODES)];
  const from = lines[0]?.backings[0]?.node ?? 'n1';
  switch (verb) {
    case 'confirm':
      return (engine) => act(engine, id, verb, { commandId, reacquire: true });
    case 'extend':
      return (engine) => act(engine, id, verb, { commandId, expiresInSeconds });
    case 'move':
      return (engine) => move(engine, id, version, [shift(sku, from, to, 1)], commandId);
    case 'fulfil':
    case 'release':
    case 'cancel':
      return (engine) => act(engine, id, verb, { commandId });
  }
}

describe('everything at once', () => {
  let pool: PoolFixture;
  beforeEach(async () => {
    pool = await createPoolFixture(NODES.length, SKUS.length);
  });
  afterEach(() => pool.close());

  it('carts, verbs, movements, thresholds and housekeeping keep every law, and replays answer as at first', () =>
    seeded(async (random) => {
      const engines = [pool.engine(), pool.engine()] as const;
      for (const sku of SKUS) for (const node of NODES) await pool.receive(sku, node, 20);
      const failures: unknown[] = [];
      const onError = (error: unknown): void => void failures.push(error);
      const keepers = engines.map((engine) => new Housekeeping(engine, { intervalMs: 5, onError }));
      for (const keeper of keepers) keeper.start();
      const refusals = new Set<string>();

      /** Asks one replica, and now and then the other one the same again. */
      const ask = async <T>(request: Request<T>): Promise<Answer<T>> => {
        const [first, other] = random.below(2) ? engines : [engines[1], engines[0]];
        const settled = await request(first);
        const code = codeOf(settled);
        if (code) refusals.add(code);
        if (settled.ok && random.below(4) === 0) expect(done(await request(other))).toEqual(settled.value);
        return settled;
      };
      const cart = async (id: string): Promise<void> => {
        const held = await ask(anyHold(id, random));
        const movements = Array.from({ length: 1 + random.below(3) }, () => anyMovement(random));
        await ask((engine) => record(engine, `${id}-m`, movements));
        for (const step of held.ok ? numbered(`${id}-v`, 3) : []) await ask(anyVerb(done(held), step, random));
      };
      const buyer = async (name: string): Promise<void> => {
        for (const id of numbered(`${name}-`, CARTS_EACH)) {
          await cart(id);
          const threshold = { sku: random.pick(SKUS), node: random.pick(NODES), quantity: random.below(5) };
          if (random.below(20) === 0) await pool.catalog.putThresholds([{ scope: 'node', ...threshold }]);
        }
      };
      await Promise.all(numbered('buyer', BUYERS).map(buyer));
      await Promise.all(keepers.map((keeper) => keeper.stop()));

      expect(failures).toEqual([]);
      for (const code of refusals) expect(EXPECTED_REFUSALS).toContain(code);
      expect(await brokenLaws(pool.dataSource)).toEqual([]);
      expect(await readsOf(engines[0]).verifyLedger(undefined)).toMatchObject({ balanced: true });
      expect(await pool.deadlocks()).toBe(0);
    }));
});
