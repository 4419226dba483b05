/** A caller with a network of its own, who repeats each call with the same id until it is answered. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Feed, MovementsRequest, Reservation, StockOfSku } from '@onepool/contracts';
import { ApiClient, send, verifyLedger } from '@onepool/simulator-data-access';
import { request } from 'undici';
import { until } from '../until.ts';

const RETRY_MS = 60_000;
const ATTEMPT_MS = 12_000;
const FEED_PATIENCE_MS = 60_000;

type Operation = Parameters<typeof send>[1];
export type Movements = MovementsRequest['movements'];

export interface Answer {
  readonly status: number;
  readonly code: string | undefined;
  readonly body: unknown;
}

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
  readonly #urls: readonly string[];
  readonly #key: string;
  readonly #client: ApiClient;
  #ids = 0;

  constructor(urls: readonly string[], key: string, run: string) {
    this.#urls = urls;
    this.run = run;
    this.#key = key;
    this.#client = new ApiClient({ urls, key, connections: 8, retryForMs: RETRY_MS, attemptTimeoutMs: ATTEMPT_MS });
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
  async ask(operation: Operation, parameters: Record<string, string>, body?: unknown, query = ''): Promise<Answer> {
    const result = await send(this.#client, operation, parameters, body, query);
    if (result.kind === 'unanswered') throw new Error(`${operation} was not answered: ${result.reason}`);
    return result;
  }

  /** @throws also when it is refused. */
  async demand(operation: Operation, parameters: Record<string, string>, body?: unknown, query = ''): Promise<unknown> {
    const answer = await this.ask(operation, parameters, body, query);
    if (answer.status < 300) return answer.body;
    throw new Error(`${operation} was refused: ${answer.status} ${JSON.stringify(answer.body)}`);
  }

  async openNetwork(): Promise<void> {
    const [first, second, third] = this.nodes;
    await this.demand('putNodes', {}, { nodes: this.nodes.map((node) => ({ node, type: 'warehouse' })) });
    const channels = [
      { channel: this.channel, type: 'web', nodes: [first, second] },
      { channel: `${this.prefix}counter`, type: 'pos', nodes: [third] },
    ];
    await this.demand('putChannels', {}, { channels });
  }

  async putSkus(...skus: readonly string[]): Promise<void> {
    await this.demand('putSkus', {}, { skus: skus.map((sku) => ({ sku })) });
  }

  async move(movements: Movements, occurredAt?: string): Promise<void> {
    const body = { id: this.id('move'), source: 'wms', movements, ...(occurredAt === undefined ? {} : { occurredAt }) };
    await this.demand('recordMovements', {}, body);
  }

  receive(sku: string, quantity: number, node: string = this.nodes[0]): Promise<void> {
    return this.move([{ type: 'receipt', sku, node, quantity }]);
  }

  async hide(sku: string, quantity: number): Promise<void> {
    const thresholds = [{ scope: 'network', channel: this.channel, sku, quantity }];
    await this.demand('putThresholds', {}, { thresholds });
  }

  hold(sku: string, quantity: number, more: object = {}): Promise<Answer> {
    const body = { id: this.id('hold'), channel: this.channel, lines: [{ sku, quantity }], ...more };
    return this.ask('hold', {}, body);
  }

  async demandHold(sku: string, quantity: number, more: object = {}): Promise<Reservation> {
    const { status, body } = await this.hold(sku, quantity, more);
    if (status !== 201) throw new Error(`A hold was refused: ${status} ${JSON.stringify(body)}`);
    return body as Reservation;
  }

  confirm(reservation: string, reacquire = false): Promise<Answer> {
    return this.ask('confirm', { id: reservation }, { commandId: this.id('confirm'), reacquire });
  }

  async stockOf(sku: string): Promise<StockOfSku> {
    return (await this.demand('getStock', { sku })) as StockOfSku;
  }

  async isBalanced(): Promise<boolean> {
    return (await verifyLedger(this.#client, this.prefix)).balanced;
  }

  /** Sends a feed, again and again until it is taken in. */
  async sendFeed({ id, mode, capturedAt, rows }: FeedPlan): Promise<void> {
    const query = new URLSearchParams({ id, source: 'erp', mode, measure: 'physical', capturedAt });
    await until(`feed ${id} to be taken in`, async () => {
      const { statusCode, body } = await request(`${this.#urls[0]}/v1/feeds?${query.toString()}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${this.#key}`, 'content-type': 'text/csv' },
        body: ['sku,node,quantity', ...rows, ''].join('\n'),
      });
      const text = await body.text();
      if (statusCode >= 500 || statusCode === 429) return undefined;
      if (statusCode >= 300) throw new Error(`feed ${id} was refused: ${statusCode} ${text}`);
      return true;
    });
  }

  /** Resolves when it has been applied; `look` is called between the questions. */
  async feedDone(id: string, look: () => Promise<void> = () => Promise.resolve()): Promise<Feed> {
    return until(
      `feed ${id} to be applied`,
      async () => {
        await look();
        const feed = (await this.demand('getFeed', { id })) as Feed;
        if (feed.state === 'done') return feed;
        await delay(50);
        return undefined;
      },
      FEED_PATIENCE_MS,
    );
  }

  close(): Promise<void> {
    return this.#client.close();
  }
}

/** Units of a SKU at all nodes. */
export function unitsOf({ rows }: StockOfSku) {
  const sum = (state: 'onHand' | 'reserved' | 'committed' | 'shortfall'): number =>
    rows.reduce((units, row) => units + row[state], 0);
  return { onHand: sum('onHand'), reserved: sum('reserved'), committed: sum('committed'), shortfall: sum('shortfall') };
}
