/**
 * A little of everything, with units that can be told in advance: each call is repeated until it is answered, so whatever
 * is killed meanwhile, every effect has to be there once.
 */
import type { OwnSystem } from '../../own-system.ts';
import { until } from '../../until.ts';
import { type FeedPlan, type Shop, unitsOf } from '../shop.ts';

/** What a SKU's book has to say in the end. */
export interface Expected {
  readonly sku: string;
  readonly onHand: number;
  readonly reserved: number;
  readonly committed: number;
  readonly shortfall: number;
}

export interface RoundSetting {
  readonly shop: Shop;
  readonly system: OwnSystem;
  /** Called while the round waits for something. */
  readonly onWait: () => Promise<void>;
}

const SHOPPERS = 6;
const HOLDS_EACH = 5;
/** A row that counts so many is refused by the database; a trial sees to that. */
export const TOO_MANY = 2_000_000;

/** Plays round `number` and answers what is to be found afterwards. */
export async function playRound(setting: RoundSetting, number: number): Promise<readonly Expected[]> {
  const { shop } = setting;
  const prefix = `${shop.prefix}r${number}-`;
  const shopping = Array.from({ length: SHOPPERS }, (_, index) => sell(shop, `${prefix}sku-${index}`));
  const moving = [moveElsewhere(shop, `${prefix}short`), route(shop, `${prefix}routed`)];
  return (await Promise.all([...shopping, ...moving, feed(setting, prefix)])).flat();
}

/** Units come, are held, confirmed, released and sold. */
async function sell(shop: Shop, sku: string): Promise<readonly Expected[]> {
  const [node] = shop.nodes;
  await shop.putSkus(sku);
  await shop.receive(sku, 100);
  await shop.hide(sku, 1);
  await shop.price(sku);
  await shop.forbid(sku);
  for (let count = 0; count < HOLDS_EACH; count += 1) {
    const { id } = await shop.demandHold(sku, 2);
    const { id: other } = await shop.demandHold(sku, 1);
    const paid = { commandId: shop.id('confirm') };
    await shop.demand((onepool) => onepool.confirm({ params: { id }, body: paid }));
    const left = { commandId: shop.id('release') };
    await shop.demand((onepool) => onepool.release({ params: { id: other }, body: left }));
    await shop.move([{ type: 'sale', sku, node, quantity: 3 }]);
    await shop.demandHold(sku, 1);
  }
  return [{ sku, onHand: 100 - 3 * HOLDS_EACH, reserved: HOLDS_EACH, committed: 2 * HOLDS_EACH, shortfall: 0 }];
}

/** Held units are sold at the counter, so that they have to be moved to the other node. */
async function moveElsewhere(shop: Shop, sku: string): Promise<readonly Expected[]> {
  const [first, second] = shop.nodes;
  await shop.putSkus(sku);
  await shop.receive(sku, 2, first);
  await shop.demandHold(sku, 2);
  await shop.receive(sku, 2, second);
  await shop.move([{ type: 'sale', sku, node: first, quantity: 2 }]);
  return [{ sku, onHand: 2, reserved: 2, committed: 0, shortfall: 0 }];
}

/** Two orders are routed to the other node by one command, in groups of their own, and are given up there. */
async function route(shop: Shop, sku: string): Promise<readonly Expected[]> {
  const [from, to] = shop.nodes;
  await shop.putSkus(sku);
  await shop.receive(sku, 2, from);
  const orders = [await shop.demandHold(sku, 1), await shop.demandHold(sku, 1)];
  await shop.receive(sku, 2, to);
  const routed = orders.map(({ id, version }) => ({ id, version, fulfilment: shop.id('fulfilment') }));
  const groups = routed.map(({ id, version, fulfilment }) => {
    const moves = [{ quantity: 1, from: { node: from }, to: { node: to, fulfilment } }];
    return { reservations: [{ id, expectedVersion: version, moves }] };
  });
  const body = { commandId: shop.id('allocate'), groups };
  await shop.demand((onepool) => onepool.allocate({ body }));
  for (const { id, fulfilment } of routed) {
    // Refused unless the units stand there, for this fulfilment.
    const left = { commandId: shop.id('release'), lines: [{ node: to, fulfilment, quantity: 1 }] };
    await shop.demand((onepool) => onepool.release({ params: { id }, body: left }));
  }
  return [{ sku, onHand: 4, reserved: 0, committed: 0, shortfall: 0 }];
}

/** A count, with a row that the database does not take, and changes. */
async function feed({ shop, onWait }: RoundSetting, prefix: string): Promise<readonly Expected[]> {
  const [node] = shop.nodes;
  const [counted, changed, refused] = [`${prefix}counted`, `${prefix}changed`, `${prefix}refused`];
  await shop.putSkus(counted, changed, refused);
  const capturedAt = new Date().toISOString();
  const plans: readonly FeedPlan[] = [
    {
      id: shop.id('reset'),
      mode: 'reset',
      capturedAt,
      rows: [`${counted},${node},40`, `${refused},${node},${TOO_MANY}`],
    },
    { id: shop.id('delta'), mode: 'delta', capturedAt, rows: [`${changed},${node},30`, `${changed},${node},-5`] },
  ];
  for (const plan of plans) {
    await shop.sendFeed(plan);
    await shop.feedDone(plan.id, onWait);
  }
  const nothing = { reserved: 0, committed: 0, shortfall: 0 };
  return [
    { sku: counted, onHand: 40, ...nothing },
    { sku: changed, onHand: 25, ...nothing },
    { sku: refused, onHand: 0, ...nothing },
  ];
}

/** A sentence for each SKU whose book does not say what it should, once moving promises has had its time. */
export async function compareBook(shop: Shop, expected: readonly Expected[]): Promise<readonly string[]> {
  const wrong: string[] = [];
  for (const { sku, ...units } of expected) {
    const says = async (): Promise<string> => JSON.stringify(unitsOf(await shop.stockOf(sku)));
    const { onHand, reserved, committed, shortfall } = units;
    const wanted = JSON.stringify({ onHand, reserved, committed, shortfall });
    await until('the book to agree', async () => (await says()) === wanted || undefined, 15_000).catch(() => undefined);
    const found = await says();
    if (found !== wanted) wrong.push(`the book of ${sku} says ${found} instead of ${wanted}`);
  }
  return wrong;
}
