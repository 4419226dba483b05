/** Plays a history, as the model had it, on engines and their database, and compares. */
import assert from 'node:assert/strict';
import type { ReceiptResult } from '@onepool/contracts';
import type { StockEngine } from '@onepool/stock-data-access';
import type { Command, Told } from '@onepool/stock-domain/testing';
import { codeOf } from '../asking.ts';
import type { Random } from '../seeded.ts';
import { Beside } from './beside.ts';
import { CONCERNS_OF, bookInDatabase, bookOfModel, concernsInDatabase, concernsOfModel } from './books.ts';
import { HistoryCaller, type Said } from './caller.ts';
import { judgeClocks } from './clocks.ts';
import { JudgedDeadlines } from './deadlines.ts';
import type { HistoryStage } from './stage.ts';
import { type Tally, count } from './tally.ts';

/** Answers are compared each time, and the book once in so many commands, and at the end. */
const LOOK_ONE_IN = 10;

type OwnCommand = Extract<Command, { kind: 'tend' | 'drain' }>;

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
  readonly #caller: HistoryCaller;
  readonly #beside: Beside;
  readonly #played: string[] = [];
  /** The one that is asked to hold, unless both are: keys of reservations ascend with time in one of them only. */
  readonly #holder: StockEngine | null;
  #step = 0;

  constructor(stage: HistoryStage, history: number, { random, tally, holdsAtOne }: HistoryOptions) {
    this.#stage = stage;
    this.#history = history;
    this.#random = random;
    this.#tally = tally;
    this.#caller = new HistoryCaller(stage, history, random);
    const idOf = (key: number): string => this.#caller.idOf(key);
    this.#beside = new Beside({ stage, history, random, tally, played: this.#played, idOf });
    this.#holder = holdsAtOne ? random.pick(stage.engines) : null;
  }

  /** @throws where the engine does otherwise than the model */
  async play(told: readonly Told[]): Promise<void> {
    try {
      let before: Told | undefined;
      for (const [place, one] of told.entries()) {
        await this.#play(one, before, told[place + 1]);
        before = one;
      }
      if (before) await this.#look(before);
      if (before) await this.#end(before);
      await this.#caller.liftFences();
    } catch (error) {
      const played = this.#played.join('\n');
      throw new Error(`history ${this.#history}: ${(error as Error).message}\nafter\n${played}`, { cause: error });
    }
  }

  /** A history is over, so that what it has led to may be used up. */
  async #end(last: Told): Promise<void> {
    const [stage, history] = [this.#stage, this.#history];
    const [caller, random, tally] = [this.#caller, this.#random, this.#tally];
    const chance = this.#random.below(4);
    if (chance === 0) await judgeClocks(stage, history, last);
    if (chance === 1) await new JudgedDeadlines({ stage, history, caller, random, tally }).judge();
  }

  async #play(one: Told, before: Told | undefined, next: Told | undefined): Promise<void> {
    const id = `h${this.#history}-${++this.#step}`;
    const { command, verdict } = one;
    this.#played.push(`${this.#step}. ${JSON.stringify(command)}: ${verdict}`);
    await this.#caller.time.pass(one, (key) => this.#caller.idOf(key));
    const [engine, other] = this.#engines();
    const asked = command.kind === 'hold' ? (this.#holder ?? engine) : engine;
    const isTended = next !== undefined && 'sku' in command && isTendOf(next.command, command.sku);
    const mayDefer = isTended || !isWaitedFor(before, command);
    const said = await this.#caller.say(one, { engine: asked, id, mayDefer });
    this.#played.push(`  as ${said.how}`);
    assert.equal(codeOf(said.answer) ?? 'done', verdict);
    count(this.#tally, `${said.how}: ${verdict}`);
    if (command.kind === 'receive') this.#received(command, said);
    if (said.request && said.answer.ok && this.#random.below(6) === 0) await this.#again(said, other);
    // What a command has left for a later slice is looked at when that is over.
    if (command.kind === 'expire' || isTended) return;
    if (this.#random.below(LOOK_ONE_IN) === 0) await this.#look(one);
    const isOwn = command.kind === 'tend' || command.kind === 'drain';
    if (isOwn && this.#random.below(2) === 0) await this.#lookAtConcerns(one, command);
    await this.#beside.happen(`${id}-beside`, one);
  }

  #received({ line, expected }: Extract<Command, { kind: 'receive' }>, { answer }: Said): void {
    const { over, lost, served, toInspect } = expected;
    const told = { over: line === null ? 0 : over, lost, served, ...(toInspect > 0 ? { toInspect } : {}) };
    const [arrived] = answer.ok ? (answer.value as ReceiptResult).lines : [];
    assert.deepEqual({ ...arrived, late: null }, { ...told, late: null });
  }

  /** Whoever asks again is answered as at first, and nothing happens. */
  async #again({ how, answer, request }: Said, engine: StockEngine): Promise<void> {
    assert.deepEqual(valueOf(await request?.(engine)), valueOf(answer));
    count(this.#tally, `${how} again: done`);
  }

  async #look(told: Told): Promise<void> {
    const idOf = (key: number): string => this.#caller.idOf(key);
    const ids = told.reservations.map(({ key }) => idOf(key));
    const found = await bookInDatabase(this.#stage.looks, this.#history, ids);
    assert.deepEqual(found, bookOfModel(told, this.#history, idOf));
    count(this.#tally, 'look: done');
  }

  async #lookAtConcerns({ concerns }: Told, { kind, sku }: OwnCommand): Promise<void> {
    const codes = CONCERNS_OF[kind];
    const found = await concernsInDatabase(this.#stage.looks, this.#history, sku, codes);
    if (found) assert.deepEqual(found, concernsOfModel(concerns, this.#history, sku, codes));
    count(this.#tally, `look at exceptions after ${kind}: ${found ? 'done' : 'too early'}`);
  }

  #engines(): readonly [StockEngine, StockEngine] {
    const [one, other] = this.#stage.engines;
    return this.#random.below(2) === 0 ? [one, other] : [other, one];
  }
}

const valueOf = (answer: Said['answer'] | undefined): unknown => (answer?.ok ? answer.value : answer?.rejection);

const isTendOf = (command: Command, sku: number): boolean => command.kind === 'tend' && command.sku === sku;

const isWaitedFor = (told: Told | undefined, command: Command): boolean =>
  told !== undefined &&
  'sku' in command &&
  told.reservations.some(({ piles }) => piles.some((pile) => pile.ahead !== null && pile.sku === command.sku));
