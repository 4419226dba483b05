/** What happens beside a history and changes nothing: others who meddle, undone holds that come late, events that the newest count has seen. */
import assert from 'node:assert/strict';
import type { Promised, Told } from '@onepool/stock-domain/testing';
import type { StockEngine } from '@onepool/stock-data-access';
import { CLIENT, OTHER_SPEC, SPEC } from '../../testing/pool-fixture.ts';
import { codeOf, done, hold, record } from '../asking.ts';
import type { Random } from '../seeded.ts';
import { type Request, fulfilmentId } from './requests.ts';
import { type HistoryStage, SKUS_EACH, nodeCode, skuCode } from './stage.ts';
import { type Tally, count } from './tally.ts';

const LATER_MS = 60_000;

export interface BesideOptions {
  readonly stage: HistoryStage;
  readonly history: number;
  readonly random: Random;
  readonly tally: Tally;
  /** What was played, in words. */
  readonly played: string[];
  readonly idOf: (reservation: number) => string;
}

export class Beside {
  readonly #options: BesideOptions;
  readonly #toldAgain = new Set<string>();
  /** Before every row was counted first. */
  readonly #longAgo: string;

  constructor(options: BesideOptions) {
    this.#options = options;
    this.#longAgo = new Date(options.stage.countedAt - LATER_MS).toISOString();
  }

  /** At times something does. */
  async happen(id: string, { reservations, overdue }: Told): Promise<void> {
    const { stage, history, random, tally, played, idOf } = this.#options;
    // Whoever comes beside would have holds run out that the model has not looked at yet.
    const isDue = reservations.some(
      ({ key, piles }) => overdue.includes(key) && piles.some(({ units }) => units.held > 0),
    );
    if (isDue) return;
    const [one, another] = stage.engines;
    const [engine, other] = random.below(2) === 0 ? [one, another] : [another, one];
    const refusedAs = async (name: string, code: string, request: Request): Promise<void> => {
      assert.equal(codeOf(await request(engine)), code, name);
      count(tally, `${name}: ${code}`);
    };
    switch (random.below(60)) {
      case 0: {
        const controlled = reservations.find(({ order }) => order !== null);
        if (!controlled) return;
        const verb = random.pick(['cancel', 'release', 'fulfil', 'extend'] as const);
        const body = { commandId: id, owner: CLIENT, ...(verb === 'extend' && { expiresInSeconds: 60 }) };
        const meddled = { verb, body } as Parameters<StockEngine['verb']>[2];
        const reservation = idOf(controlled.key);
        return refusedAs('meddle', 'reservation.attached', (asked) => asked.verb(OTHER_SPEC, reservation, meddled));
      }
      case 1: {
        const undo = { verb: 'release', body: { commandId: id } } as const;
        await refusedAs('undo before', 'reservation.unknown', (asked) => asked.verb(SPEC, id, undo));
        const late = await hold(other, id, [[skuCode(history, 1), 1]]);
        assert.equal(codeOf(late), 'reservation.tombstoned');
        return count(tally, 'hold after its undo: reservation.tombstoned');
      }
      case 4:
      case 5:
      case 6:
        return this.#tellAgain(engine, id, reservations);
      case 2:
      case 3: {
        const place = {
          sku: skuCode(history, random.pick(SKUS_EACH)),
          node: nodeCode(1 + random.below(4)),
        };
        const type = random.pick(['sale', 'receipt', 'found'] as const);
        const movement = { type, ...place, quantity: 1 + random.below(3) };
        played.push(`  late ${JSON.stringify(movement)}`);
        const { late } = done(await record(engine, id, [movement], { occurredAt: this.#longAgo }));
        assert.equal(late.length, 1);
        return count(tally, `late ${type}: done`);
      }
    }
  }

  /** The till tells of a hand-over that was told before. */
  async #tellAgain(engine: StockEngine, id: string, reservations: readonly Promised[]): Promise<void> {
    const { history, tally, played, idOf } = this.#options;
    const all = reservations.flatMap(({ key, piles }) => piles.map((pile) => ({ ...pile, reservation: idOf(key) })));
    const one = all.find(({ units, fulfilment }) => fulfilment !== null && units.fulfilled > 0);
    if (!one) return;
    const { reservation, sku, node, fulfilment, units } = one;
    const named = fulfilmentId(reservation, fulfilment ?? '');
    if (this.#toldAgain.has(named)) return;
    this.#toldAgain.add(named);
    const place = { sku: skuCode(history, sku), node: nodeCode(node ?? 0) };
    const movement = { type: 'sale', ...place, quantity: units.fulfilled, fulfilment: named } as const;
    played.push(`  told again ${JSON.stringify(movement)}`);
    done(await record(engine, id, [movement], { source: 'till' }));
    count(tally, 'hand-over told again: done');
  }
}
