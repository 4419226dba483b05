/** Orders of one unit each, made and moved by an engine in this process. */
import { StockEngine } from '@onepool/stock-data-access';
import type { Answer, Asker } from '@onepool/stock-data-access';
import { CHANNEL, EXPIRES_IN_SECONDS, newReservationId, skuCode } from '../contenders/contender.ts';
import type { Surroundings } from '../contenders/contender.ts';
import { WrongResultsError } from '../setting/verify.ts';

/** A confirmed reservation of one unit: where the unit stands, and the version that says so. */
export interface Order {
  readonly id: string;
  readonly version: number;
  /** Null where the unit stands at no node. */
  readonly node: string | null;
}

/** Two orders of one SKU at different nodes. */
export type Pair = readonly [Order, Order];

export interface OrderDeskSetup extends Surroundings {
  /** In whose name orders are made. */
  readonly owner: string;
  readonly queues: number | undefined;
}

/** No more under way than a commit queue takes in one batch. */
const MADE_AT_ONCE = 500;

export class OrderDesk {
  readonly #engine: StockEngine;
  readonly #asker: Asker;
  #commands = 0;

  constructor({ owner, queues, ...surroundings }: OrderDeskSetup) {
    this.#asker = { actor: owner, person: null, nodes: 'all', channels: 'all' };
    this.#engine = new StockEngine({ ...surroundings, ...(queues === undefined ? {} : { queues }) });
  }

  /** An order for each of these SKUs, at the node that the engine chooses; those that may wait stand at none. */
  promise(skus: readonly number[], line: { readonly mayWait?: true } = {}): Promise<readonly Order[]> {
    return someAtOnce(skus, async (sku) => {
      const id = newReservationId();
      const lines = [{ ...line, sku: skuCode(sku), quantity: 1 }];
      const held = await this.#engine.hold(this.#asker, {
        id,
        channel: CHANNEL,
        lines,
        expiresInSeconds: EXPIRES_IN_SECONDS,
      });
      const node = accepted('a hold', held).lines[0]?.backings[0]?.node ?? null;
      const request = { verb: 'confirm', body: { commandId: this.#nextCommand() } } as const;
      const { version } = accepted('a confirmation', await this.#engine.verb(this.#asker, id, request));
      return { id, version, node };
    });
  }

  /** Gives each order to the node where it stands, as the fulfilment {@link fulfilmentOf}. */
  submit(orders: readonly Order[]): Promise<readonly Order[]> {
    return someAtOnce(orders, async (order) => {
      const node = nodeOf(order);
      const to = { node, fulfilment: fulfilmentOf(order) };
      const reservations = [moving(order, { quantity: 1, line: '1', from: { node }, to })];
      const [after] = await this.#allocate([{ reservations }]);
      return { ...order, version: after?.[0] ?? 0 };
    });
  }

  /** Each pair as one group of one request: both orders are at the other's node, or neither is. */
  async swap(pairs: readonly Pair[]): Promise<readonly Pair[]> {
    const versions = await this.#allocate(
      pairs.map(([one, other]) => ({ reservations: [movingTo(one, other), movingTo(other, one)] })),
    );
    return pairs.map(([one, other], place): Pair => {
      const [first = 0, second = 0] = versions[place] ?? [];
      return [
        { id: one.id, version: first, node: other.node },
        { id: other.id, version: second, node: one.node },
      ];
    });
  }

  /** The versions of each group's reservations. */
  async #allocate(groups: Groups): Promise<readonly (readonly number[])[]> {
    const settled = await this.#engine.allocate(this.#asker, { commandId: this.#nextCommand(), groups: [...groups] });
    return accepted('an allocation', settled).map((group) =>
      accepted('a group of moves', group).reservations.map(({ version }) => version),
    );
  }

  #nextCommand(): string {
    return `c-${this.#commands++}`;
  }

  close(): Promise<void> {
    return this.#engine.close();
  }
}

export const fulfilmentOf = ({ id }: Order): string => `${id}-f`;

type Groups = Parameters<StockEngine['allocate']>[1]['groups'];
type Moving = Groups[number]['reservations'][number];

const moving = ({ id, version }: Order, move: Moving['moves'][number]): Moving => ({
  id,
  expectedVersion: version,
  moves: [move],
});

const movingTo = (order: Order, place: Order): Moving =>
  moving(order, { line: '1', quantity: 1, from: { node: nodeOf(order) }, to: { node: nodeOf(place) } });

function nodeOf({ id, node }: Order): string {
  if (node === null) throw new Error(`${id} stands at no node`);
  return node;
}

/** @throws WrongResultsError when it was refused: nothing that this benchmark asks for is wrong. */
function accepted<T>(what: string, answer: Answer<T>): T {
  if (answer.ok) return answer.value;
  const { code, details } = answer.rejection;
  throw new WrongResultsError(`${what} was refused: ${code} ${JSON.stringify(details)}`);
}

async function someAtOnce<T, R>(all: readonly T[], work: (one: T) => Promise<R>): Promise<readonly R[]> {
  const done: R[] = [];
  while (done.length < all.length) {
    done.push(...(await Promise.all(all.slice(done.length, done.length + MADE_AT_ONCE).map(work))));
  }
  return done;
}
