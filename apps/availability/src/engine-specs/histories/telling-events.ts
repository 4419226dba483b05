/** Physical events, told as movements or in feeds, of now, of the past, or by a clock that is ahead. */
import type { MovementsRequest } from '@onepool/contracts';
import type { Command, Told } from '@onepool/stock-domain/testing';
import { past } from '@onepool/stock-domain/testing';
import type { Answer, StockEngine } from '@onepool/stock-data-access';
import { record } from '../asking.ts';
import type { Random } from '../seeded.ts';
import { nodeCode, skuCode } from './stage.ts';
import type { HistoryStage } from './stage.ts';

export type MovementCommand = Extract<Command, { kind: 'movement' }>;
type Movement = MovementsRequest['movements'][number];

/** Feeds cost more than movements do. */
const FED_ONE_IN = 6;
const AHEAD_MS = 240_000;
const SECOND_MS = 1_000;
const NO_UNITS = 0;

/** Units came (> 0) or went (< 0). */
interface Happening {
  readonly sku: number;
  readonly node: number;
  readonly units: number;
}

const isOfOneRow = (type: Movement['type']): boolean => ['receipt', 'found', 'sale', 'adjustment'].includes(type);

export class EventTelling {
  readonly #stage: HistoryStage;
  readonly #history: number;
  readonly #random: Random;
  /** Units that counts of the past have found at a row; null once it was counted later than that. */
  readonly #counted = new Map<string, number | null>();
  #counts = 0;

  constructor(stage: HistoryStage, history: number, random: Random) {
    this.#stage = stage;
    this.#history = history;
    this.#random = random;
  }

  /** Tells the event in some way, and how in a word. */
  async tell(
    engine: StockEngine,
    id: string,
    command: MovementCommand,
    before: Told | undefined,
  ): Promise<{ readonly how: string; readonly answer: Answer<unknown> }> {
    const { type, sku, node, toNode, quantity } = command;
    if (isOfOneRow(type) && this.#random.below(FED_ONE_IN) === 0) {
      const how = await this.#feed({ sku, node, units: type === 'sale' ? -quantity : quantity }, before);
      if (how !== null) return { how, answer: { ok: true, value: null } };
    }
    // Nothing has moved.
    if (type === 'transfer' && toNode === node) return { how: 'nothing', answer: { ok: true, value: null } };
    const at = { sku: skuCode(this.#history, sku), node: nodeCode(node) };
    const to = toNode === null || type !== 'transfer' ? {} : { toNode: nodeCode(toNode) };
    const movement = { type, ...at, ...to, quantity } as Movement;
    return { how: type, answer: await record(engine, id, [movement]) };
  }

  /** Null where this event cannot be told so. */
  async #feed({ sku, node, units }: Happening, before: Told | undefined): Promise<string | null> {
    const { feeds, countedAt } = this.#stage;
    const name = `${sku}/${node}`;
    const at = { sku: skuCode(this.#history, sku), node: nodeCode(node) };
    const row = before?.rows.find((one) => one.sku === sku && one.node === node);
    const net = row
      ? row.available +
        row.committed +
        row.reserved +
        row.safetyStock +
        row.damaged +
        row.qualityControl -
        row.shortfall -
        row.overdrawn
      : NO_UNITS;
    const how = this.#random.pick(['change', 'old count', 'count', 'count ahead', 'availability', 'conflict'] as const);
    if (how === 'change') {
      await feeds.tell('delta', [{ ...at, quantity: units }]);
      return how;
    }
    if (how === 'old count') {
      const counted = this.#counted.get(name);
      if (counted === null || (counted ?? 0) + units < 0) return null;
      const found = (counted ?? 0) + units;
      await feeds.tell('reset', [{ ...at, quantity: found, at: countedAt + ++this.#counts * SECOND_MS }]);
      this.#counted.set(name, found);
      return how;
    }
    if (net + units < 0) return null;
    if (how === 'availability') {
      // What is not for sale, and what the shop has been told that a node works on, it does not count.
      const working = (before?.reservations ?? [])
        .flatMap(({ piles }) => piles)
        .filter((pile) => pile.sku === sku && pile.node === node)
        .reduce((sum, pile) => sum + past(pile, 1), 0);
      const quantity = net + units - working - (row?.damaged ?? 0) - (row?.qualityControl ?? 0);
      if (quantity < 0) return null;
      this.#counted.set(name, null);
      await feeds.tell('availability', [{ ...at, quantity }]);
      await feeds.tell('reset', [{ ...at, quantity: net + units }]);
      return how;
    }
    if (how === 'conflict') {
      // Nobody knows which of them is right, so that it is told again.
      const refused = await feeds.tell('reset', [
        { ...at, quantity: 100_000 },
        { ...at, quantity: 2_000 },
      ]);
      if (!refused) throw new Error('conflicting lines were not refused');
    }
    this.#counted.set(name, null);
    await feeds.tell('reset', [
      { ...at, quantity: net + units, ...(how === 'count ahead' && { at: Date.now() + AHEAD_MS }) },
    ]);
    return how;
  }
}
