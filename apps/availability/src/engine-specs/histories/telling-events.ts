/** Physical events, told as movements or in feeds, and counts. */
import type { MovementsRequest } from '@onepool/contracts';
import type { Command, Told } from '@onepool/stock-domain/testing';
import { record } from '../asking.ts';
import type { Random } from '../seeded.ts';
import { timeOf } from './database-time.ts';
import type { Request } from './requests.ts';
import { type HistoryStage, nodeCode, skuCode } from './stage.ts';

export type MovementCommand = Extract<Command, { kind: 'movement' }>;
type Movement = MovementsRequest['movements'][number];
type CountCommand = Extract<Command, { kind: 'count' }>;

/** Feeds cost more than movements do. */
const FED_ONE_IN = 8;
export class EventTelling {
  readonly #stage: HistoryStage;
  readonly #history: number;
  readonly #random: Random;

  constructor(stage: HistoryStage, history: number, random: Random) {
    this.#stage = stage;
    this.#history = history;
    this.#random = random;
  }

  /** How the event is told, in a word; in a feed only if it may. */
  async tell(
    id: string,
    { type, sku, node, toNode, quantity }: MovementCommand,
    { at: happened }: Told,
    mayFeed: boolean,
  ): Promise<{ readonly how: string; readonly request: Request | null }> {
    // Nothing has moved.
    if (type === 'transfer' && toNode === node) return { how: 'nothing', request: null };
    const place = this.#place(sku, node);
    const time = timeOf(this.#stage, happened);
    if (mayFeed && isOfOneRow(type) && this.#random.below(FED_ONE_IN) === 0) {
      const units = type === 'sale' ? -quantity : quantity;
      await this.#stage.feeds.tell('delta', [{ ...place, quantity: units, at: time }]);
      return { how: `${type} in a feed`, request: null };
    }
    const to = toNode === null || type !== 'transfer' ? {} : { toNode: nodeCode(toNode) };
    const movement = { type, ...place, ...to, quantity } as Movement;
    const occurredAt = new Date(time).toISOString();
    return { how: type, request: (engine) => record(engine, id, [movement], { occurredAt }) };
  }

  /** At times two lines of a count contradict each other, and are told again. */
  async count({ sku, node, units, state, stage, agoMs }: CountCommand, { at }: Told): Promise<string> {
    const { feeds } = this.#stage;
    const kind = stage ?? 'reset';
    const line = { ...this.#place(sku, node), state, at: timeOf(this.#stage, at - agoMs) };
    const contradicts = this.#random.below(8) === 0;
    if (contradicts) {
      const refused = await feeds.tell(kind, [
        { ...line, quantity: 100_000 },
        { ...line, quantity: 2_000 },
      ]);
      if (!refused) throw new Error('lines that contradict each other were not refused');
    }
    await feeds.tell(kind, [{ ...line, quantity: units }]);
    const name = `count${state === null ? '' : ` of ${state}`}${stage === null ? '' : ` without ${stage}`}`;
    return contradicts ? `${name} after a conflict` : name;
  }

  #place(sku: number, node: number): { readonly sku: string; readonly node: string } {
    return { sku: skuCode(this.#history, sku), node: nodeCode(node) };
  }
}

const isOfOneRow = (type: Movement['type']): boolean => ['receipt', 'found', 'sale', 'adjustment'].includes(type);
