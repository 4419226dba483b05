/** Physical events, told as movements or in feeds, and counts. */
import type { MovementsRequest } from '@onepool/contracts';
import type { Command, Told } from '@onepool/stock-domain/testing';
import type { Answer, StockEngine } from '@onepool/stock-data-access';
import { record } from '../asking.ts';
import type { Random } from '../seeded.ts';
import { type HistoryStage, nodeCode, skuCode } from './stage.ts';

export type MovementCommand = Extract<Command, { kind: 'movement' }>;
type Movement = MovementsRequest['movements'][number];
type CountCommand = Extract<Command, { kind: 'count' }>;

/** Feeds cost more than movements do. */
const FED_ONE_IN = 6;
/** After every row was counted first, and so late that nothing of a history is before that. */
const BEGINS_AFTER_MS = 600_000;
const MS_EACH = 100;

/** When it happened, by the time of the model since the history began. */
export const timeOf = ({ countedAt }: HistoryStage, at: number): number => countedAt + BEGINS_AFTER_MS + at * MS_EACH;

export class EventTelling {
  readonly #stage: HistoryStage;
  readonly #history: number;
  readonly #random: Random;

  constructor(stage: HistoryStage, history: number, random: Random) {
    this.#stage = stage;
    this.#history = history;
    this.#random = random;
  }

  /** Tells the event in some way, and how in a word. */
  async tell(
    engine: StockEngine,
    id: string,
    { type, sku, node, toNode, quantity }: MovementCommand,
    { at: happened }: Told,
  ): Promise<{ readonly how: string; readonly answer: Answer<unknown> }> {
    const done = { ok: true, value: null } as const;
    // Nothing has moved.
    if (type === 'transfer' && toNode === node) return { how: 'nothing', answer: done };
    const place = this.#place(sku, node);
    const time = timeOf(this.#stage, happened);
    if (isOfOneRow(type) && this.#random.below(FED_ONE_IN) === 0) {
      const units = type === 'sale' ? -quantity : quantity;
      await this.#stage.feeds.tell('delta', [{ ...place, quantity: units, at: time }]);
      return { how: `${type} in a feed`, answer: done };
    }
    const to = toNode === null || type !== 'transfer' ? {} : { toNode: nodeCode(toNode) };
    const movement = { type, ...place, ...to, quantity } as Movement;
    return { how: type, answer: await record(engine, id, [movement], { occurredAt: new Date(time).toISOString() }) };
  }

  /** At times two lines of a count contradict each other, and are told again. */
  async count({ sku, node, units, state, agoMs }: CountCommand, { at }: Told): Promise<string> {
    const { feeds } = this.#stage;
    const line = { ...this.#place(sku, node), state, at: timeOf(this.#stage, at - agoMs) };
    const contradicts = this.#random.below(4) === 0;
    if (contradicts) {
      const refused = await feeds.tell('reset', [
        { ...line, quantity: 100_000 },
        { ...line, quantity: 2_000 },
      ]);
      if (!refused) throw new Error('lines that contradict each other were not refused');
    }
    await feeds.tell('reset', [{ ...line, quantity: units }]);
    return `${state === null ? 'count' : `count of ${state}`}${contradicts ? ' after a conflict' : ''}`;
  }

  #place(sku: number, node: number): { readonly sku: string; readonly node: string } {
    return { sku: skuCode(this.#history, sku), node: nodeCode(node) };
  }
}

const isOfOneRow = (type: Movement['type']): boolean => ['receipt', 'found', 'sale', 'adjustment'].includes(type);
