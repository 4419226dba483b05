/** Plays a history, as the model had it, on engines and their database, and compares. */
import assert from 'node:assert/strict';
import type { FenceChange } from '@onepool/contracts';
import type { Command, Promised, Told } from '@onepool/stock-domain/testing';
import type { StockEngine } from '@onepool/stock-data-access';
import { CLIENT, OTHER_SPEC, SPEC } from '../../testing/pool-fixture.ts';
import { codeOf, done, hold, record } from '../asking.ts';
import { brokenLaws } from '../laws.ts';
import type { Random } from '../seeded.ts';
import { bookInDatabase, bookOfModel } from './books.ts';
import { type Request, fulfilmentId, requestOf } from './requests.ts';
import { type HistoryStage, SKUS_EACH, channelCode, nodeCode, skuCode } from './stage.ts';
import { judgeClocks } from './clocks.ts';
import { EventTelling, timeOf } from './telling-events.ts';

const LONG_AGO = '2020-01-01T00:00:00Z';
const LATER_MS = 60_000;
/** Answers are compared each time, and the book once in so many commands, and at the end. */
const LOOK_ONE_IN = 6;

/** What has been played, by its name and what became of it: `hold: stock.insufficient`. */
export type Tally = Map<string, number>;

export const count = (tally: Tally, name: string): void => void tally.set(name, (tally.get(name) ?? 0) + 1);

export interface HistoryOptions {
  readonly random: Random;
  readonly tally: Tally;
  readonly holdsAtOne: boolean;
}

export class HistoryPlayer {
  readonly #stage: HistoryStage;
  readonly #history: number;
  readonly #random: Random;
  readonly #tally: Tally;
  readonly #events: EventTelling;
  /** Fences by the place that each has taken. */
  readonly #fences = new Map<number, string>();
  readonly #toldAgain = new Set<string>();
  readonly #ids = new Map<number, string>();
  /** Whose time has come in the database, too. */
  readonly #overdue = new Set<number>();
  /** Before every row was counted first. */
  readonly #longAgo: string;
  readonly #played: string[] = [];
  /** The one that is asked to hold, unless both are: keys of reservations ascend with time in one of them only. */
  readonly #holder: StockEngine | null;
  #step = 0;

  constructor(stage: HistoryStage, history: number, { random, tally, holdsAtOne }: HistoryOptions) {
    this.#stage = stage;
    this.#history = history;
    this.#random = random;
    this.#tally = tally;
    this.#events = new EventTelling(stage, history, random);
    this.#holder = holdsAtOne ? random.pick(stage.engines) : null;
    this.#longAgo = new Date(stage.countedAt - LATER_MS).toISOString();
  }

  /** @throws where the engine does otherwise than the model, or breaks a law */
  async play(told: readonly Told[]): Promise<void> {
    try {
      let before: Told | undefined;
      for (const one of told) {
        await this.#play(one);
        before = one;
      }
      if (before) await this.#look(before);
      if (before && this.#random.below(4) === 0) await judgeClocks(this.#stage, this.#history, before);
      for (const slot of [...this.#fences.keys()]) await this.#keep({ kind: 'keep', slot, fence: null }, '');
      const skus = SKUS_EACH.map((sku) => skuCode(this.#history, sku));
      assert.deepEqual(await brokenLaws(this.#stage.pool.dataSource, skus), []);
    } catch (error) {
      const played = this.#played.join('\n');
      throw new Error(`history ${this.#history}: ${(error as Error).message}\nafter\n${played}`, { cause: error });
    }
  }

  async #play(one: Told): Promise<void> {
    this.#step++;
    await this.#letExpire(one);
    const { command, verdict } = one;
    this.#played.push(`${this.#step}. ${JSON.stringify(command)}: ${verdict}`);
    const how = await this.#ask(one);
    this.#played.push(`  as ${how}`);
    count(this.#tally, `${how}: ${verdict}`);
    if (command.kind !== 'expire' && this.#random.below(LOOK_ONE_IN) === 0) await this.#look(one);
    await this.#beside(one);
  }

  async #ask(told: Told): Promise<string> {
    const { command, verdict, at } = told;
    const [engine, other] = this.#engines();
    const id = `h${this.#history}-${this.#step}`;
    switch (command.kind) {
      case 'heal': {
        const [sku] = await engine.codes.keysOf([skuCode(this.#history, command.sku)]);
        await engine.tend([sku ?? 0], true);
        return 'heal';
      }
      case 'expire': {
        const skus = await engine.codes.keysOf(command.skus.map((sku) => skuCode(this.#history, sku)));
        // At once, as whoever names all of them does.
        await engine.submit({ kind: 'tend', skus: skus.map((sku) => sku ?? 0), heal: false, trace: null });
        return 'expire';
      }
      case 'drain': {
        const [sku] = await engine.codes.keysOf([skuCode(this.#history, command.sku)]);
        await engine.drain(sku ?? 0);
        return 'drain';
      }
      case 'halt': {
        const { sku, node, channel, mode } = command;
        const place = {
          ...(node !== null && { node: nodeCode(node) }),
          ...(channel !== null && { channel: channelCode(channel) }),
        };
        done(await engine.putStops(SPEC, { stops: [{ sku: skuCode(this.#history, sku), ...place, mode }] }));
        return mode === 'none' ? 'sell again' : mode;
      }
      case 'count':
        return this.#events.count(command, told);
      case 'keep':
        return this.#keep(command, id);
      case 'movement': {
        const { how, answer } = await this.#events.tell(engine, id, command, told);
        assert.equal(codeOf(answer) ?? 'done', verdict);
        return how;
      }
      default: {
        // A hold that is refused leaves its number to the next one.
        if (command.kind === 'hold') this.#ids.set(command.reservation, `${id}-r`);
        const { kind } = command;
        const name = kind === 'leave' ? command.verb : kind;
        const occurredAt = new Date(timeOf(this.#stage, at)).toISOString();
        const wording = { history: this.#history, id, reservation: (key: number) => this.#idOf(key), occurredAt };
        const request = requestOf(command, wording);
        const answer = await request(kind === 'hold' ? (this.#holder ?? engine) : engine);
        assert.equal(codeOf(answer) ?? 'done', verdict);
        if (answer.ok && this.#random.below(6) === 0) await this.#again(request, other, answer.value, name);
        return name;
      }
    }
  }

  async #keep({ slot, fence }: Extract<Command, { kind: 'keep' }>, name: string): Promise<string> {
    const lifted = this.#fences.get(slot);
    this.#fences.delete(slot);
    const put: FenceChange[] = lifted === undefined ? [] : [{ fence: lifted, until: LONG_AGO }];
    if (fence) {
      this.#fences.set(slot, name);
      put.push({
        fence: name,
        skus: (fence.skus ?? SKUS_EACH).map((sku) => skuCode(this.#history, sku)),
        channels: fence.channels.map(channelCode),
        nodes: fence.nodes === null ? 'all' : fence.nodes.map(nodeCode),
        ...(fence.isShare ? { sharePercent: fence.quantity } : { quantity: fence.quantity }),
      });
    }
    if (put.length > 0) assert.equal((await this.#stage.pool.catalog.putFences(put)).ok, true);
    return fence ? 'fence' : 'lift a fence';
  }

  /** Whoever asks again is answered as at first, and nothing happens. */
  async #again(request: Request, engine: StockEngine, first: unknown, name: string): Promise<void> {
    const again = await request(engine);
    assert.deepEqual(again.ok ? again.value : again.rejection, first);
    count(this.#tally, `${name} again: done`);
  }

  /** What changes nothing: others who meddle, undone holds that come late, events that the newest count has seen. */
  async #beside({ reservations }: Told): Promise<void> {
    const [engine, other] = this.#engines();
    const id = `h${this.#history}-${this.#step}-beside`;
    const refusedAs = async (name: string, code: string, request: Request): Promise<void> => {
      assert.equal(codeOf(await request(engine)), code, name);
      count(this.#tally, `${name}: ${code}`);
    };
    switch (this.#random.below(60)) {
      case 0: {
        const controlled = reservations.find(({ order }) => order !== null);
        if (!controlled) return;
        const verb = this.#random.pick(['cancel', 'release', 'fulfil', 'extend'] as const);
        const body = { commandId: id, owner: CLIENT, ...(verb === 'extend' && { expiresInSeconds: 60 }) };
        const meddled = { verb, body } as Parameters<StockEngine['verb']>[2];
        const reservation = this.#idOf(controlled.key);
        return refusedAs('meddle', 'reservation.attached', (asked) => asked.verb(OTHER_SPEC, reservation, meddled));
      }
      case 1: {
        const undo = { verb: 'release', body: { commandId: id } } as const;
        await refusedAs('undo before', 'reservation.unknown', (asked) => asked.verb(SPEC, id, undo));
        const late = await hold(other, id, [[skuCode(this.#history, 1), 1]]);
        assert.equal(codeOf(late), 'reservation.tombstoned');
        return count(this.#tally, 'hold after its undo: reservation.tombstoned');
      }
      case 4:
      case 5:
      case 6:
        return this.#tellAgain(engine, id, reservations);
      case 2:
      case 3: {
        const place = {
          sku: skuCode(this.#history, this.#random.pick(SKUS_EACH)),
          node: nodeCode(1 + this.#random.below(4)),
        };
        const type = this.#random.pick(['sale', 'receipt', 'found'] as const);
        const movement = { type, ...place, quantity: 1 + this.#random.below(3) };
        this.#played.push(`  late ${JSON.stringify(movement)}`);
        const { late } = done(await record(engine, id, [movement], { occurredAt: this.#longAgo }));
        assert.equal(late.length, 1);
        return count(this.#tally, `late ${type}: done`);
      }
    }
  }

  /** The till tells of a hand-over that was told before. */
  async #tellAgain(engine: StockEngine, id: string, reservations: readonly Promised[]): Promise<void> {
    const all = reservations.flatMap(({ key, piles }) =>
      piles.map((pile) => ({ ...pile, reservation: this.#idOf(key) })),
    );
    const one = all.find(({ units, fulfilment }) => fulfilment !== null && units.fulfilled > 0);
    if (!one) return;
    const { reservation, sku, node, fulfilment, units } = one;
    const named = fulfilmentId(reservation, fulfilment ?? '');
    if (this.#toldAgain.has(named)) return;
    this.#toldAgain.add(named);
    const place = { sku: skuCode(this.#history, sku), node: nodeCode(node ?? 0) };
    const movement = { type: 'sale', ...place, quantity: units.fulfilled, fulfilment: named } as const;
    this.#played.push(`  told again ${JSON.stringify(movement)}`);
    done(await record(engine, id, [movement], { source: 'till' }));
    count(this.#tally, 'hand-over told again: done');
  }

  /** Lets the time come, in the database, of those whose time has come. */
  async #letExpire({ overdue }: Told): Promise<void> {
    const due = overdue.filter((key) => !this.#overdue.has(key));
    if (due.length === 0) return;
    for (const key of due) this.#overdue.add(key);
    await this.#stage.pool.dataSource.query(
      `WITH late AS (UPDATE reservation SET expires_at = '2020-01-01' WHERE owner = $1 AND id = ANY($2) RETURNING reservation_key)
       UPDATE backing SET expires_at = '2020-01-01' FROM late WHERE backing.reservation_key = late.reservation_key`,
      [CLIENT, due.map((key) => this.#idOf(key))],
    );
  }

  async #look(told: Told): Promise<void> {
    const idOf = (key: number): string => this.#idOf(key);
    const ids = told.reservations.map(({ key }) => idOf(key));
    const found = await bookInDatabase(this.#stage.pool.dataSource, this.#history, ids);
    assert.deepEqual(found, bookOfModel(told, this.#history, idOf));
    count(this.#tally, 'look: done');
  }

  #engines(): readonly [StockEngine, StockEngine] {
    const [one, other] = this.#stage.engines;
    return this.#random.below(2) === 0 ? [one, other] : [other, one];
  }

  #idOf(key: number): string {
    const id = this.#ids.get(key);
    if (id === undefined) throw new Error(`there is no reservation ${key}`);
    return id;
  }
}
