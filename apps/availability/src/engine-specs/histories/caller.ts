/** Says the commands of a history to engines, each in its own way, and keeps in mind what they call things. */
import assert from 'node:assert/strict';
import type { FenceChange } from '@onepool/contracts';
import type { Answer, StockEngine } from '@onepool/stock-data-access';
import type { Command, Told } from '@onepool/stock-domain/testing';
import { SPEC } from '../../testing/pool-fixture.ts';
import type { Random } from '../seeded.ts';
import { inspectionOf } from './books.ts';
import { DatabaseTime, timeOf } from './database-time.ts';
import { type PromiseCommand, type Request, requestOf } from './requests.ts';
import { type HistoryStage, SKUS_EACH, channelCode, nodeCode, skuCode } from './stage.ts';
import { type SupplyCommand, supplyRequestOf } from './supply-requests.ts';
import { EventTelling } from './telling-events.ts';

const LONG_AGO = '2020-01-01T00:00:00Z';
const DONE: Answer<unknown> = { ok: true, value: null };

export type RequestedCommand = PromiseCommand | SupplyCommand | Extract<Command, { kind: 'inspect' }>;

export interface Said {
  /** In a word. */
  readonly how: string;
  readonly answer: Answer<unknown>;
  /** What may be asked once more and is answered as at first; null of all else. */
  readonly request: Request | null;
  /** What the other one has answered that was asked the same at the same time. */
  readonly also: Answer<unknown> | null;
}

interface Saying {
  readonly engine: StockEngine;
  /** Of the command. */
  readonly id: string;
  /** Whether units may be left for a later slice. */
  readonly mayDefer: boolean;
  /** Is asked the same at the same time. */
  readonly also?: StockEngine;
  /** The version of a reservation, by its id, on which a command is decided, if it is not the one that the model has. */
  readonly versionOf?: (id: string) => number | undefined;
}

export class HistoryCaller {
  readonly time: DatabaseTime;
  readonly #stage: HistoryStage;
  readonly #history: number;
  readonly #events: EventTelling;
  /** Of reservations, by their numbers. */
  readonly #ids = new Map<number, string>();
  /** Fences by the place that each has taken. */
  readonly #fences = new Map<number, string>();
  /** A fence is set before it is lifted, whoever else is asking meanwhile. */
  #keeping: Promise<void> = Promise.resolve();

  constructor(stage: HistoryStage, history: number, random: Random) {
    this.#stage = stage;
    this.#history = history;
    this.#events = new EventTelling(stage, history, random);
    this.time = new DatabaseTime(stage, history);
  }

  idOf(reservation: number): string {
    const id = this.#ids.get(reservation);
    if (id === undefined) throw new Error(`there is no reservation ${reservation}`);
    return id;
  }

  async say(told: Told, { engine, id, mayDefer, also, versionOf }: Saying): Promise<Said> {
    const { command } = told;
    const did = (how: string, answer: Answer<unknown> = DONE): Said => ({ how, answer, request: null, also: null });
    const asked = async (how: string, request: Request): Promise<Said> => {
      const [answer, other] = await Promise.all([request(engine), also ? request(also) : null]);
      return { how, answer, request, also: other };
    };
    switch (command.kind) {
      case 'tend':
        if (command.offersAll) await engine.offer(await this.keyOf(command.sku, engine));
        else await engine.tend([await this.keyOf(command.sku, engine)], true);
        return did(command.offersAll ? 'offer' : 'tend');
      case 'expire': {
        const skus = await Promise.all(command.skus.map((sku) => this.keyOf(sku, engine)));
        // At once, as whoever names all of them does.
        await engine.submit({ kind: 'tend', skus, heal: false, trace: null });
        return did('expire');
      }
      case 'drain':
        await engine.drain(await this.keyOf(command.sku, engine));
        return did('drain');
      case 'halt':
        return did(command.mode === 'none' ? 'sell again' : command.mode, await this.#halt(command, engine));
      case 'count':
        if (command.stage !== null) await this.time.placeStages();
        return did(await this.#events.count(command, told));
      case 'keep':
        await (this.#keeping = this.#keeping.then(() => this.#keep(command, id)));
        return did(command.fence ? 'fence' : 'lift a fence');
      case 'movement': {
        const { how, request } = await this.#events.tell(id, command, told, mayDefer);
        return request ? asked(how, request) : did(how);
      }
      default: {
        const how = command.kind === 'leave' ? command.verb : command.kind;
        return asked(how, this.#requestOf(command, told, id, versionOf));
      }
    }
  }

  async keyOf(sku: number, engine: StockEngine): Promise<number> {
    const [key] = await engine.codes.keysOf([skuCode(this.#history, sku)]);
    if (key === null || key === undefined) throw new Error(`nobody knows SKU ${sku} of history ${this.#history}`);
    return key;
  }

  /** Nobody has to load the fences of a history that is over. */
  async liftFences(): Promise<void> {
    for (const slot of [...this.#fences.keys()]) await this.#keep({ kind: 'keep', slot, fence: null }, '');
  }

  #halt({ sku, node, channel, mode }: Extract<Command, { kind: 'halt' }>, engine: StockEngine) {
    const place = {
      ...(node !== null && { node: nodeCode(node) }),
      ...(channel !== null && { channel: channelCode(channel) }),
    };
    return engine.putStops(SPEC, { stops: [{ sku: skuCode(this.#history, sku), ...place, mode }] });
  }

  async #keep({ slot, fence }: Extract<Command, { kind: 'keep' }>, name: string): Promise<void> {
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
  }

  #requestOf(
    command: RequestedCommand,
    { at }: Told,
    id: string,
    versionOf: (id: string) => number | undefined = () => undefined,
  ): Request {
    // A hold that is refused leaves its number to the next one.
    if (command.kind === 'hold') this.#ids.set(command.reservation, `${id}-r`);
    if (command.kind === 'inspect') return this.#judging(command, id);
    const occurredAt = new Date(timeOf(this.#stage, at)).toISOString();
    const reservation = (key: number): string => this.idOf(key);
    const wording = { history: this.#history, id, reservation, versionOf, occurredAt };
    if (command.kind === 'announce' || command.kind === 'receive' || command.kind === 'ship')
      return supplyRequestOf(command, wording);
    return requestOf(command, wording);
  }

  #judging({ inspection, approved, rejected }: Extract<Command, { kind: 'inspect' }>, id: string): Request {
    let found: Promise<string> | undefined;
    return async (engine) => {
      // Whoever asks again means the same one.
      const judged = await (found ??= inspectionOf(this.#stage.looks, this.#history, inspection));
      const answer = await engine.judge(SPEC, { id, judgements: [{ inspection: judged, approved, rejected }] });
      return answer.ok ? (answer.value[0] ?? answer) : answer;
    };
  }
}
