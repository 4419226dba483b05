/** A caller with a network of its own, who repeats each call with the same id until it is answered. */
import { setTimeout as delay } from 'node:timers/promises';
import type { RequestOf } from '@onepool/client';
import type { AVAILABILITY_OPERATIONS, Feed, MovementsRequest, Reservation, StockOfSku } from '@onepool/contracts';
import { ApiClient, type CallResult, type Send, verifyLedger } from '@onepool/simulator-data-access';
import { until } from '../until.ts';

const RETRY_MS = 60_000;
const ATTEMPT_MS = 12_000;
const FEED_PATIENCE_MS = 60_000;

type HoldBody = RequestOf<typeof AVAILABILITY_OPERATIONS.hold>['body'];
export type Movements = MovementsRequest['movements'];
export type Answer<T> = Exclude<CallResult<T>, { kind: 'unanswered' }>;

export interface FeedPlan {
  readonly id: string;
  readonly mode: 'reset' | 'delta';
  readonly capturedAt: string;
  /** `sku,node,quantity` */
  readonly rows: readonly string[];
}

export class Shop {
  readonly run: string;
  /** Every code and id of this shop begins so. */
  readonly prefix: string;
  readonly channel: string;
  /** The first two sell; the third only keeps. */
  readonly nodes: readonly [string, string, string];
  readonly #key: string;
  readonly #client: ApiClient;
  /** Feeds go to the first replica. */
  readonly #feeder: ApiClient;
  #ids = 0;

  constructor(urls: readonly string[], key: string, run: string) {
    this.run = run;
    this.#key = key;
    const options = { key, connections: 8, retryForMs: RETRY_MS, attemptTimeoutMs: ATTEMPT_MS };
    this.#client = new ApiClient({ ...options, urls });
    this.#feeder = new ApiClient({ ...options, urls: urls.slice(0, 1) });
    this.prefix = `s${run}-`;
    this.channel = `${this.prefix}web`;
    this.nodes = [`${this.prefix}a`, `${this.prefix}b`, `${this.prefix}c`];
  }

  /** The same shop through one replica only. */
  through(url: string): Shop {
    return new Shop([url], this.#key, this.run);
  }

  /** An id that nothing else of this shop has. */
  id(what: string): string {
    return `${this.prefix}${what}-${(this.#ids += 1)}`;
  }

  /** @throws when no answer came for a minute. */
  async ask<T>(send: Send<T>): Promise<Answer<T>> {
    return answered(await this.#client.call(send));
  }

  /** @throws also when it is refused. */
  async demand<T>(send: Send<T>): Promise<T> {
    return granted(await this.ask(send));
  }

  async openNetwork(): Promise<void> {
    const [first, second, third] = this.nodes;
    const nodes = this.nodes.map((node) => ({ node, type: 'warehouse' as const }));
    await this.demand((onepool) => onepool.putNodes({ body: { nodes } }));
    const channels = [
      { channel: this.channel, type: 'web', nodes: [first, second] },
      { channel: `${this.prefix}counter`, type: 'pos', nodes: [third] },
    ] as const;
    await this.demand((onepool) => onepool.putChannels({ body: { channels } }));
  }

  async putSkus(...skus: readonly string[]): Promise<void> {
    await this.demand((onepool) => onepool.putSkus({ body: { skus: skus.map((sku) => ({ sku })) } }));
  }

  async move(movements: Movements, occurredAt?: string): Promise<void> {
    const body = { id: this.id('move'), source: 'wms', movements, ...(occurredAt === undefined ? {} : { occurredAt }) };
    await this.demand((onepool) => onepool.recordMovements({ body }));
  }

  receive(sku: string, quantity: number, node: string = this.nodes[0]): Promise<void> {
    return this.move([{ type: 'receipt', sku, node, quantity }]);
  }

  async hide(sku: string, quantity: number): Promise<void> {
    const thresholds = [{ scope: 'network', channel: this.channel, sku, quantity }] as const;
    await this.demand((onepool) => onepool.putThresholds({ body: { thresholds } }));
  }

  async price(sku: string): Promise<void> {
    const periods = [{ amount: 1, validFrom: new Date().toISOString() }];
    const prices = [{ sku, channel: this.channel, currency: 'EUR', periods }];
    await this.demand((onepool) => onepool.putPrices({ body: { prices } }));
  }

  async forbid(sku: string): Promise<void> {
    const rule = { rule: this.id('rule'), forbids: 'ship' as const, skus: [sku], nodes: [] };
    await this.demand((onepool) => onepool.putEligibilityRules({ body: { rules: [rule] } }));
  }

  hold(sku: string, quantity: number, more: Partial<HoldBody> = {}): Promise<Answer<Reservation>> {
    const body = { id: this.id('hold'), channel: this.channel, lines: [{ sku, quantity }], ...more };
    return this.ask((onepool) => onepool.hold({ body }));
  }

  async demandHold(sku: string, quantity: number, more: Partial<HoldBody> = {}): Promise<Reservation> {
    return granted(await this.hold(sku, quantity, more));
  }

  confirm(id: string, reacquire = false): Promise<Answer<Reservation>> {
    const body = { commandId: this.id('confirm'), reacquire };
    return this.ask((onepool) => onepool.confirm({ params: { id }, body }));
  }

  stockOf(sku: string): Promise<StockOfSku> {
    return this.demand((onepool) => onepool.getStock({ params: { sku } }));
  }

  async isBalanced(): Promise<boolean> {
    return (await verifyLedger(this.#client, this.prefix)).balanced;
  }

  /** Sends a feed, again and again until it is taken in. */
  async sendFeed({ id, mode, capturedAt, rows }: FeedPlan): Promise<void> {
    const query = { id, source: 'erp', mode, measure: 'physical', capturedAt } as const;
    const body = ['sku,node,quantity', ...rows, ''].join('\n');
    const sent = await this.#feeder.call((onepool) =>
      onepool.sendFeed({ query, body, contentType: 'text/csv' }, { timeoutMs: ATTEMPT_MS }),
    );
    granted(answered(sent));
  }

  /** Resolves when it has been applied; `look` is called between the questions. */
  async feedDone(id: string, look: () => Promise<void> = () => Promise.resolve()): Promise<Feed> {
    return until(
      `feed ${id} to be applied`,
      async () => {
        await look();
        const feed = await this.demand((onepool) => onepool.getFeed({ params: { id } }));
        if (feed.state === 'done') return feed;
        await delay(50);
        return undefined;
      },
      FEED_PATIENCE_MS,
    );
  }

  async close(): Promise<void> {
    await Promise.all([this.#client.close(), this.#feeder.close()]);
  }
}

function answered<T>(result: CallResult<T>): Answer<T> {
  if (result.kind === 'unanswered') throw new Error(`A call was not answered: ${result.reason}`);
  return result;
}

function granted<T>(answer: Answer<T>): T {
  if (answer.kind === 'granted') return answer.value;
  throw new Error(`A call was refused: ${JSON.stringify(answer.problem)}`);
}

/** Units of a SKU at all nodes. */
export function unitsOf({ rows }: StockOfSku) {
  const sum = (state: 'onHand' | 'reserved' | 'committed' | 'shortfall'): number =>
    rows.reduce((units, row) => units + row[state], 0);
  return { onHand: sum('onHand'), reserved: sum('reserved'), committed: sum('committed'), shortfall: sum('shortfall') };
}
