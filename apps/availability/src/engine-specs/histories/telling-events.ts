/** Physical events, told as movements or in feeds, of now, of the past, or by a clock that is ahead. */
import type { MovementsRequest } from '@onepool/contracts';
import type { Command, Told } from '@onepool/stock-domain/testing';
import { past } from '@onepool/stock-domain/testing';
import type { Answer, StockEngine } from '@onepool/stock-data-access';
import { record } from '../asking.ts';
import type { Random } from '../seeded.ts';
import { nodeCode, skuCode } from './stage.ts';
import type { HistoryStage } from './stage.ts';

export type PhysicalCommand = Extract<Command, { kind: 'happen' | 'damage' | 'set aside' | 'transfer' }>;
type Movement = MovementsRequest['movements'][number];

/** Feeds cost more than movements do. */
const FED_ONE_IN = 6;
const AHEAD_MS = 240_000;
const SECOND_MS = 1_000;
const NO_UNITS = 0;

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
    command: PhysicalCommand,
    before: Told | undefined,
  ): Promise<{ readonly how: string; readonly answer: Answer<unknown> }> {
    if (command.kind === 'happen' && this.#random.below(FED_ONE_IN) === 0) {
      const how = await this.#feed(command, before);
      if (how !== null) return { how, answer: { ok: true, value: null } };
    }
    const movement = this.#movement(command);
    return { how: movement.type, answer: await record(engine, id, [movement]) };
  }

  #movement(command: PhysicalCommand): Movement {
    const at = { sku: skuCode(this.#history, command.sku), node: nodeCode(command.node) };
    const { units } = command;
    switch (command.kind) {
      case 'damage':
        return { type: 'damage', ...at, quantity: units };
      case 'set aside':
        return { type: 'safety_stock', ...at, quantity: units };
      case 'transfer':
        return { type: 'transfer', ...at, toNode: nodeCode(command.toNode), quantity: units };
      case 'happen': {
        const type = this.#random.pick(
          units > 0 ? (['receipt', 'found', 'adjustment'] as const) : (['sale', 'adjustment'] as const),
        );
        return { type, ...at, quantity: type === 'adjustment' ? units : Math.abs(units) };
      }
    }
  }

  /** Null where this event cannot be told so. */
  async #feed(
    { sku, node, units }: PhysicalCommand & { kind: 'happen' },
    before: Told | undefined,
  ): Promise<string | null> {
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
