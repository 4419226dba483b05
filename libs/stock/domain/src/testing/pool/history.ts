/** Whole histories of a pool: random sequences of everything that can happen. */
import fc from 'fast-check';
import type { MovementType } from '../../decide-movements.ts';
import { STAGES } from '../../reservation.ts';
import { type HaltChange, halt, keep } from './limit-steps.ts';
import { type MovePick, type Said, allocate, amend, order, pin, reject, rotate } from './move-steps.ts';
import { drain, heal, overdue } from './own-steps.ts';
import type { Named, Reworded } from './picks.ts';
import type { PlayedPool } from './played-pool.ts';
import type { State, Unsold } from './pool.ts';
import { acknowledge, attach, confirm, extend, giveUp, hold, leave, queue, unfulfil } from './promise-steps.ts';
import { count, countOne, countScrap, countWork, move, rush, wait } from './stock-steps.ts';
import { announce, inspect, receive, ship } from './supply-steps.ts';
import { NODES, SKUS } from './world.ts';

type Arbitraries<Values extends readonly unknown[]> = { [Place in keyof Values]: fc.Arbitrary<Values[Place]> };
/** What happens. It tells itself when it is printed. */
export interface Step {
  readonly name: string;
  readonly play: (pool: PlayedPool) => void;
}

function step<Values extends readonly unknown[]>(
  play: (pool: PlayedPool, ...values: Values) => unknown,
  ...parameters: Arbitraries<Values>
): fc.Arbitrary<Step> {
  return fc.tuple(...(parameters as readonly fc.Arbitrary<unknown>[])).map((told) => ({
    name: play.name,
    play: (pool) => play(pool, ...(told as unknown as Values)),
    [fc.toStringMethod]: () => `${play.name}(${told.map((one) => JSON.stringify(one)).join(', ')})`,
  }));
}

/** A step that is told some milliseconds after it has happened. */
const late = (one: fc.Arbitrary<Step>): fc.Arbitrary<Step> =>
  fc.tuple(fc.constantFrom(0, 0, 0, 1, 30, 70), one).map(([ms, { play, ...told }]) => ({
    ...told,
    play: (pool) => pool.late(ms, () => play(pool)),
    [fc.toStringMethod]: () => `late(${ms}, ${fc.stringify({ play, ...told })})`,
  }));

const sku = fc.constantFrom(...SKUS);
const node = fc.constantFrom(...NODES);
const few = fc.integer({ min: 1, max: 4 });
const pick = fc.nat(7);
const rarely = fc.integer({ min: 0, max: 7 }).map((one) => one === 7);
const nodes = fc.oneof(
  { weight: 3, arbitrary: fc.constant(null) },
  { weight: 1, arbitrary: fc.subarray(NODES, { minLength: 1 }) },
);
const fulfilment = fc.constantFrom(null, 'f1', 'f2');

/** Mostly one backing by all of its names; at times whatever has the same line, node or fulfilment. */
const named = (quantity: fc.Arbitrary<number>): fc.Arbitrary<Named> =>
  fc.record({
    backing: pick,
    quantity,
    names: fc.oneof(
      { weight: 2, arbitrary: fc.constant(['line', 'node', 'fulfilment'] as const) },
      { weight: 1, arbitrary: fc.subarray(['line', 'sku', 'node', 'fulfilment'] as const) },
    ),
  });

const physical = fc.record({
  type: fc.constantFrom<MovementType>('receipt', 'found', 'sale', 'transfer', 'damage', 'scrap'),
  sku,
  node,
  toNode: node,
  quantity: few,
});
const signed = fc.record({
  type: fc.constantFrom<MovementType>('adjustment', 'safety_stock'),
  sku,
  node,
  toNode: fc.constant(null),
  quantity: fc.constantFrom(-3, -1, 1, 2),
});
const line = fc.record({ sku, quantity: few, nodes, mayWait: fc.constantFrom(false, false, true) });
const cart = fc.array(line, { minLength: 1, maxLength: 3 });
const seller = fc.constantFrom(1, 1, 2);
const moved: fc.Arbitrary<MovePick> = fc.record({
  units: named(few),
  like: fc.option(pick, { nil: null, freq: 1 }),
  to: fc.record({ node, fulfilment }),
});
const part = fc.record({
  pick,
  isStale: rarely,
  moves: fc.array(moved, { minLength: 1, maxLength: 2 }),
});
const reworded: fc.Arbitrary<Reworded> = fc.record({
  line: fc.nat(3),
  sku: fc.option(sku, { nil: null, freq: 3 }),
  quantity: fc.nat(6),
  nodes,
});
const said: fc.Arbitrary<Said> = fc.record({
  effect: fc.constantFrom('none', 'quantity', 'sellable_only', 'all'),
  moveTo: fc.option(fc.record({ node, fulfilment }), { nil: null, freq: 1 }),
});
const controller = fc.constantFrom(null, 'o1', 'o2');
const some = fc.array(named(few), { minLength: 1, maxLength: 2 });
const parts = fc.option(some, { nil: null, freq: 3 });

const lasts = fc.constantFrom(null, 60, 60);
const halted: fc.Arbitrary<HaltChange> = fc.record({
  sku: fc.option(sku),
  node: fc.option(node),
  channel: fc.option(fc.constantFrom(1, 2)),
  mode: fc.constantFrom('stop', 'drain', 'drain', 'none'),
  lasts,
});
const fenced = fc.record({
  channels: fc.subarray([1, 2], { minLength: 1 }),
  nodes: fc.option(fc.subarray(NODES, { minLength: 1 })),
  skus: fc.option(fc.subarray(SKUS)),
  isShare: rarely,
  quantity: fc.integer({ min: 1, max: 5 }),
});
const budgetOrShare = fenced.map((one) => ({ ...one, quantity: one.quantity * (one.isShare ? 20 : 1) }));

const announced = fc.record({ sku, node, dueIn: fc.constantFrom(null, 30, 90) });
const maybe = fc.option(pick, { nil: null, freq: 2 });
const arriving = fc.record({
  units: fc.integer({ min: 1, max: 6 }),
  damaged: fc.constantFrom(null, null, 0, 1, 2),
  toInspection: rarely,
  closes: fc.boolean(),
});
const shipped = fc.record({
  sku,
  from: node,
  units: few,
  state: fc.constantFrom<State | null>(null, null, 'available', 'damaged', 'inspected'),
});

const counted = fc.record({
  sku,
  node,
  units: fc.nat(9),
  stage: fc.constantFrom(null, null, ...STAGES),
  agoMs: fc.constantFrom(0, 0, 20, 60, -40),
  aheadMs: fc.constantFrom(null, null, 0, 40),
});

const countedState = fc.record({
  sku,
  node,
  state: fc.constantFrom<Unsold>('damaged', 'inspected'),
  units: fc.nat(4),
  agoMs: fc.constantFrom(0, 0, 20, 60),
});

const steps = fc.oneof(
  { weight: 3, arbitrary: late(step(move, physical)) },
  { weight: 1, arbitrary: step(move, signed) },
  { weight: 2, arbitrary: late(step(rush, pick, few, fc.boolean())) },
  { weight: 4, arbitrary: step(hold, seller, cart, fc.boolean(), rarely, fc.constantFrom(0, 0, 0, 5)) },
  { weight: 4, arbitrary: step(order, seller, cart, fc.constantFrom(null, 'f', 'f')) },
  { weight: 3, arbitrary: step(confirm, pick, fc.boolean()) },
  { weight: 3, arbitrary: step(leave, fc.constantFrom('release', 'cancel'), pick, parts) },
  { weight: 3, arbitrary: late(step(leave, fc.constant('fulfil'), pick, parts)) },
  { weight: 7, arbitrary: step(allocate, rarely, fc.array(part, { minLength: 1, maxLength: 3 })) },
  { weight: 3, arbitrary: step(rotate, fc.array(pick, { minLength: 2, maxLength: 4 }), few, fc.boolean()) },
  {
    weight: 4,
    arbitrary: step(amend, pick, fc.constantFrom(null, null, 1, 2), fc.array(reworded, { maxLength: 2 }), rarely),
  },
  { weight: 4, arbitrary: step(pin, pick, named(few), fc.constantFrom('f1', 'f2')) },
  { weight: 3, arbitrary: late(step(acknowledge, pick, named(few), fc.constantFrom(...STAGES))) },
  { weight: 3, arbitrary: late(step(reject, pick, named(few), said, rarely)) },
  { weight: 1, arbitrary: step(giveUp, pick, some) },
  { weight: 2, arbitrary: late(step(unfulfil, pick, some)) },
  { weight: 1, arbitrary: step(attach, pick, controller, controller) },
  { weight: 1, arbitrary: step(extend, pick) },
  { weight: 3, arbitrary: step(heal, sku) },
  {
    weight: 6,
    arbitrary: step(
      queue,
      seller,
      sku,
      few,
      fc.record({ nodes, priority: fc.constantFrom(0, 0, 5), confirms: fc.boolean() }),
    ),
  },
  { weight: 5, arbitrary: step(announce, maybe, announced, fc.nat(6), rarely) },
  { weight: 5, arbitrary: late(step(receive, maybe, announced, arriving)) },
  { weight: 4, arbitrary: late(step(ship, maybe, shipped, announced, maybe)) },
  { weight: 2, arbitrary: step(overdue, sku) },
  { weight: 4, arbitrary: step(count, counted) },
  { weight: 4, arbitrary: step(countOne, countedState) },
  { weight: 3, arbitrary: step(countWork, pick, fc.constantFrom(...STAGES), few, few) },
  { weight: 1, arbitrary: step(countScrap, sku, node, few, fc.nat(9)) },
  { weight: 1, arbitrary: step(inspect, pick, fc.nat(2), fc.nat(1)) },
  { weight: 1, arbitrary: step(halt, halted) },
  { weight: 2, arbitrary: step(drain, sku) },
  { weight: 2, arbitrary: step(keep, fc.nat(2), fc.option(budgetOrShare, { freq: 4 }), lasts) },
  { weight: 2, arbitrary: step(wait, fc.constantFrom(1, 60, 100)) },
);
const arrival = fc.record({
  type: fc.constant<MovementType>('receipt'),
  sku,
  node,
  toNode: fc.constant(null),
  quantity: fc.integer({ min: 2, max: 9 }),
});
const receipts = fc.array(step(move, arrival), { minLength: 4, maxLength: 10 });

/** Units arrive, then anything happens. */
export const poolHistory: fc.Arbitrary<readonly Step[]> = fc
  .tuple(receipts, fc.array(steps, { minLength: 20, maxLength: 40 }))
  .map((told) => told.flat());
