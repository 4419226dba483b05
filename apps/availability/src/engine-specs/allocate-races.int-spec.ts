/** Whoever moves orders about, and however many do at once: no unit is lost, doubled or stranded. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { StockEngine } from '@onepool/stock-data-access';
import { type PoolFixture, SPEC, createPoolFixture, numbered } from '../testing/pool-fixture.ts';
import {
  type AllocationGroup,
  type SpecReads,
  act,
  allocate,
  backedBy,
  codeOf,
  done,
  hold,
  readsOf,
  shift,
} from './asking.ts';
import { brokenLaws } from './laws.ts';
import { type Random, seeded } from './seeded.ts';

const CALLERS = 32;
const ROUNDS = 6;
const NODES = numbered('n', 8);
const SKUS = ['sku1', 'sku2'];
const ORDERS = NODES.map((node) => `order-${node}`);

type Moves = AllocationGroup['reservations'][number];
/** At which node an order's unit of a SKU is. */
interface Place {
  readonly id: string;
  readonly version: number;
  readonly at: Readonly<Record<string, string>>;
}

let pool: PoolFixture;
let engines: readonly [StockEngine, StockEngine];
let reads: SpecReads;
/** One unit of each SKU at each node, and an order for both of them. */
beforeEach(async () => {
  pool = await createPoolFixture(NODES.length, SKUS.length);
  engines = [pool.engine(), pool.engine()];
  reads = readsOf(engines[0]);
  for (const [index, node] of NODES.entries()) {
    for (const sku of SKUS) await pool.receive(sku, node, 1);
    const id = ORDERS[index] ?? '';
    done(
      await hold(
        engines[0],
        id,
        SKUS.map((sku) => [sku, 1] as const),
      ),
    );
    if (index % 2 === 0) done(await act(engines[0], id, 'confirm', {}));
  }
});
afterEach(() => pool.close());

async function placeOf(id: string): Promise<Place> {
  const { lines, version } = await reads.reservation(SPEC, id);
  const at = lines.map(({ sku, backings }) => {
    const open = backings.filter(({ held, confirmed }) => held + confirmed > 0);
    return [sku, open.map(({ node }) => node).join()] as const;
  });
  return { id, version, at: Object.fromEntries(at) };
}

/** Each order's units go to where those of the next one are. */
const circleOf = (places: readonly Place[], skus: readonly string[]): Moves[] =>
  places.map(({ id, version, at }, index) => {
    const next = places[(index + 1) % places.length];
    const moves = skus.map((sku) => shift(sku, at[sku] ?? '', next?.at[sku] ?? '', 1));
    return { id, expectedVersion: version, moves };
  });

function someOf<T>(all: readonly T[], count: number, random: Random): T[] {
  const left = [...all];
  return Array.from({ length: count }, () => left.splice(random.below(left.length), 1)[0]).filter(
    (one) => one !== undefined,
  );
}

async function expectEachAtOneNode(): Promise<void> {
  const views = await Promise.all(ORDERS.map((id) => reads.reservation(SPEC, id)));
  for (const [place, sku] of SKUS.entries()) {
    const nodes = views.map((view) => {
      const line = { ...view, lines: [view.lines[place]].filter((one) => one !== undefined) };
      return { ...backedBy(line, 'held'), ...backedBy(line, 'confirmed') };
    });
    expect({ sku, units: nodes.flatMap(Object.values) }).toEqual({ sku, units: ORDERS.map(() => 1) });
    expect(nodes.flatMap(Object.keys).toSorted()).toEqual(NODES);
  }
  expect(await brokenLaws(pool.dataSource)).toEqual([]);
}

describe('orders that everybody moves', () => {
  it('each have their units at exactly one node in the end, and none of them in one that another has', () =>
    seeded(async (random) => {
      const codes: (string | null)[] = [];
      const caller = async (name: string): Promise<void> => {
        for (const commandId of numbered(`${name}-`, ROUNDS)) {
          const chosen = someOf(ORDERS, 2 + random.below(5), random);
          const places = await Promise.all(chosen.map(placeOf));
          const skus = random.pick([SKUS, SKUS.slice(1), SKUS.toReversed()]);
          const half = places.length > 3 ? 2 : places.length;
          const circles = [places.slice(0, half), places.slice(half)].filter((some) => some.length > 0);
          const groups = circles.map((some) => circleOf(some, skus));
          const [asked, other] = random.below(2) ? engines : [engines[1], engines[0]];
          const answers = done(await allocate(asked, commandId, groups));
          codes.push(...answers.map(codeOf));
          if (random.below(3) > 0) continue;
          const again = done(await allocate(other, commandId, groups));
          // What was refused is decided anew, on a version that will not come again.
          expect(again.map((group) => (group.ok ? group.value : group.rejection.code))).toEqual(
            answers.map((group) => (group.ok ? group.value : group.rejection.code)),
          );
        }
      };
      await Promise.all(numbered('caller', CALLERS).map(caller));
      expect(new Set(codes)).toEqual(new Set([null, 'reservation.conflict']));
      expect(codes.filter((code) => code === null).length).toBeGreaterThan(ROUNDS);
      await expectEachAtOneNode();
      expect(await reads.verifyLedger(undefined)).toMatchObject({ balanced: true });
      expect(await pool.deadlocks()).toBe(0);
    }));

  it('are moved by one of two bodies that one id is given at the same moment, whichever has more groups', async () => {
    for (const round of numbered('round', 10)) {
      const [a, b, c, d] = await Promise.all(ORDERS.slice(0, 4).map(placeOf));
      if (!a || !b || !c || !d) throw new Error('there are four orders');
      const one = [circleOf([a, b], SKUS)];
      const two = [circleOf([b, c], SKUS), circleOf([a, d], SKUS)];
      const answers = await Promise.all([allocate(engines[0], round, one), allocate(engines[1], round, two)]);
      const mismatches = answers.filter((answer) => codeOf(answer) === 'idempotency.mismatch');
      expect(mismatches).toHaveLength(1);
      const moved = (await Promise.all(ORDERS.slice(0, 4).map(placeOf))).map(
        ({ version }, index) => version - ([a, b, c, d][index]?.version ?? 0),
      );
      expect(moved).toEqual(answers[0].ok ? [1, 1, 0, 0] : [1, 1, 1, 1]);
    }
    await expectEachAtOneNode();
  });

  it('are moved once by one request that both replicas get at the same moment', async () => {
    for (const round of numbered('twin', 10)) {
      const [a, b, c] = await Promise.all(ORDERS.slice(0, 3).map(placeOf));
      if (!a || !b || !c) throw new Error('there are three orders');
      const groups = [circleOf([a, b], SKUS), circleOf([c], SKUS)];
      const [first, second] = await Promise.all(engines.map((engine) => allocate(engine, round, groups)));
      const values = [first, second].map((answer) => answer && done(answer).map((group) => done(group)));
      expect(values[0]).toEqual(values[1]);
      expect((await placeOf(a.id)).version).toBe(a.version + 1);
    }
    await expectEachAtOneNode();
  });
});
