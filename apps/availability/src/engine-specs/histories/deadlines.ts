/**
 * What the end of a history is good for: units are sold that were promised, and whoever is short of them is told. Then the deadline of some is
 * over, and nobody has decided. A small model of its own says which promises are short and what becomes of them, since in a history
 * itself nobody waits for so long.
 */
import assert from 'node:assert/strict';
import { PROMISE_BROKEN, type PromiseBroken } from '@onepool/contracts';
import type { StockEngine } from '@onepool/stock-data-access';
import { act, done, record, sale } from '../asking.ts';
import type { Random } from '../seeded.ts';
import type { HistoryCaller } from './caller.ts';
import { type HistoryStage, SKUS_EACH, skuCode } from './stage.ts';
import { type Tally, count } from './tally.ts';

const ROUNDS_MAX = 20;
const LONG_AGO_MS = Date.UTC(2020, 0, 1);

const LOOKS = {
  versions: {
    name: 'versions',
    text: 'SELECT code, version FROM sku_gate JOIN sku_code USING (sku_key) WHERE code = ANY($1) ORDER BY code',
  },
  tasks: {
    name: 'tasks-of-all',
    text: 'SELECT code FROM sku_task JOIN sku_code USING (sku_key) WHERE code = ANY($1)',
  },
  there: {
    name: 'there',
    text: `SELECT k.code AS sku, n.code AS node, (available + reserved + committed - shortfall)::int AS units
             FROM stock JOIN sku_code k USING (sku_key) JOIN rules_node n USING (node_key)
            WHERE k.code = ANY($1) AND reserved + committed > shortfall ORDER BY 1, 2`,
  },
  promises: {
    name: 'promises',
    text: `SELECT b.supply_key::text AS row, coalesce(s.shortfall, 0)::int AS shortfall, b.reservation_key::int AS reservation, b.backing_no AS backing, b.line,
                  b.fulfilment, b.held + b.confirmed AS open, b.broken, coalesce(r.priority, 0) AS priority,
                  extract(epoch FROM coalesce(r.ordered_at, r.created_at))::float8 AS since, r.controller_order AS order_id, r.id
             FROM backing b JOIN sku_code k USING (sku_key) JOIN reservation r USING (reservation_key)
             LEFT JOIN supply s USING (supply_key)
            WHERE k.code = ANY($1) AND b.supply_key IS NOT NULL ORDER BY 3, 4`,
  },
  exceptions: {
    name: 'short-exceptions',
    text: `SELECT e.exception_key::text AS key, e.supply_key::text AS row, e.quantity::int, e.refs,
                  round(extract(epoch FROM e.due_at) * 1000)::float8 AS "dueAt"
             FROM stock_exception e JOIN sku_code k USING (sku_key)
            WHERE k.code = ANY($1) AND e.code = 'promise.short' AND e.closed_at IS NULL`,
  },
} as const;

interface Backed {
  readonly row: string;
  readonly shortfall: number;
  readonly reservation: number;
  readonly backing: number;
  readonly line: number;
  readonly fulfilment: string | null;
  readonly open: number;
  readonly broken: number;
  readonly priority: number;
  readonly since: number;
  readonly order_id: string | null;
  readonly id: string;
}

/** Units of a promise of which nothing is there. */
interface Short {
  readonly of: Backed;
  readonly units: number;
}

/** `[reservation, backing, units, open units of its line, order, due (ms)]`. */
type Told = [reservation: number, backing: number, units: number, lineOpen: number, order?: string, due?: number];
interface Exception {
  readonly key: string;
  readonly row: string;
  readonly quantity: number;
  /** Milliseconds: when the engine looks at it by itself. */
  readonly dueAt: number | null;
  readonly refs: { readonly told?: readonly Told[] };
}

export interface DeadlinesOptions {
  readonly stage: HistoryStage;
  readonly history: number;
  readonly caller: HistoryCaller;
  readonly random: Random;
  readonly tally: Tally;
}

export class JudgedDeadlines {
  readonly #stage: HistoryStage;
  readonly #history: number;
  readonly #skus: readonly string[];
  readonly #caller: HistoryCaller;
  readonly #random: Random;
  readonly #tally: Tally;

  constructor({ stage, history, caller, random, tally }: DeadlinesOptions) {
    this.#stage = stage;
    this.#history = history;
    this.#skus = SKUS_EACH.map((sku) => skuCode(history, sku));
    this.#caller = caller;
    this.#random = random;
    this.#tally = tally;
  }

  /** @throws where the engine does otherwise than the model */
  async judge(): Promise<void> {
    const begun = await this.#lastFact();
    await this.#sell();
    // Before anybody is told, and after the engine was found to be who decides.
    for (const when of ['early', 'late']) {
      await this.#attach(when);
      await this.#rest();
    }
    const before = await this.#ofDatabase<Backed>(LOOKS.promises);
    const short = shortOf(before);
    await this.#areTold(short);
    const due = short.filter(({ of }) => of.order_id !== null && this.#random.below(4) > 0);
    assert.deepEqual(await this.#brokenSince(begun), [], 'broken before the deadline');
    const passed = await this.#lastFact();
    await this.#passDeadlines(due);
    for (const sku of SKUS_EACH) await Promise.all(this.#stage.engines.map((engine) => this.#tend(sku, engine)));
    const after = await this.#ofDatabase<Backed>(LOOKS.promises);
    assert.deepEqual(
      after.map(unitsWords),
      before.map((one) => unitsWords(brokenBy(due, one))),
    );
    const left = short.filter((one) => !due.includes(one));
    assert.deepEqual(shortOf(after).map(shortWords).sort(), left.map(shortWords).sort(), 'short after the deadline');
    await this.#areTold(shortOf(after));
    assert.deepEqual(
      await this.#brokenSince(passed),
      due.map(({ of, units }) => brokenWords(of.id, of.fulfilment, units)).sort(),
    );
    const what = short.length === 0 ? 'nothing short' : due.length === 0 ? 'none over' : 'over';
    count(this.#tally, `deadlines: ${what}`);
  }

  /** Some of what is promised is sold all the same. */
  async #sell(): Promise<void> {
    const there = await this.#ofDatabase<{ sku: string; node: string; units: number }>(LOOKS.there);
    for (const [place, { sku, node, units }] of there.entries()) {
      const sold = sale(sku, node, 1 + this.#random.below(units));
      done(await record(this.#random.pick(this.#stage.engines), `h${this.#history}-oversold-${place}`, [sold]));
    }
  }

  /** Orders decide about some of the promises that nobody has decided about. */
  async #attach(when: string): Promise<void> {
    const promises = await this.#ofDatabase<Backed>(LOOKS.promises);
    const open = promises.filter((one) => one.open > 0 && one.order_id === null);
    for (const id of new Set(open.map((one) => one.id))) {
      if (this.#random.below(2) === 0) continue;
      const order = { commandId: `${id}-${when}`, order: `${id}.${when}` };
      done(await act(this.#random.pick(this.#stage.engines), id, 'attach', order));
    }
  }

  #tend = async (sku: number, engine: StockEngine): Promise<boolean> =>
    engine.tend([await this.#caller.keyOf(sku, engine)], true);

  /** Until a look finds nothing to do. */
  async #rest(): Promise<void> {
    for (let round = 0; round < ROUNDS_MAX; round++) {
      const before = await this.#ofDatabase(LOOKS.versions);
      const goesOn = [];
      for (const sku of SKUS_EACH) goesOn.push(await this.#tend(sku, this.#random.pick(this.#stage.engines)));
      const isSame = JSON.stringify(await this.#ofDatabase(LOOKS.versions)) === JSON.stringify(before);
      if (isSame && !goesOn.includes(true) && (await this.#ofDatabase(LOOKS.tasks)).length === 0) return;
    }
    throw new Error(`does not come to rest in ${ROUNDS_MAX} rounds`);
  }

  /** Each promise with all its units that are short; an order, until when it has to decide. */
  async #areTold(short: readonly Short[]): Promise<void> {
    const exceptions = await this.#ofDatabase<Exception>(LOOKS.exceptions);
    const told = exceptions.flatMap(({ row, refs }) => (refs.told ?? []).map((one) => toldWords(row, one)));
    assert.deepEqual(told.sort(), short.map(shortWords).sort(), 'promises that are told short');
    for (const { dueAt, refs } of exceptions) assert.equal(dueAt, firstDue(refs.told ?? []), 'the first deadline');
    const lacking = new Map(short.map(({ of }) => [of.row, of.shortfall]));
    assert.deepEqual(new Map(exceptions.map(({ row, quantity }) => [row, quantity])), lacking);
  }

  async #passDeadlines(due: readonly Short[]): Promise<void> {
    const isDue = ([reservation, backing]: Told): boolean =>
      due.some(({ of }) => of.reservation === reservation && of.backing === backing);
    for (const { key, refs } of await this.#ofDatabase<Exception>(LOOKS.exceptions)) {
      const told = (refs.told ?? []).map((one) => (isDue(one) ? one.with(5, LONG_AGO_MS) : one));
      if (!(refs.told ?? []).some(isDue)) continue;
      await this.#stage.looks.query(
        'UPDATE stock_exception SET refs = $2, due_at = to_timestamp($3 / 1000.0) WHERE exception_key = $1',
        [key, JSON.stringify({ ...refs, told }), LONG_AGO_MS],
      );
    }
  }

  async #lastFact(): Promise<string> {
    const { rows } = await this.#stage.looks.query<{ id: string }>('SELECT coalesce(max(id), 0) AS id FROM outbox');
    return rows[0]?.id ?? '0';
  }

  /** Promises that facts have told to be broken by the deadline. */
  async #brokenSince(last: string): Promise<readonly string[]> {
    const { rows } = await this.#stage.looks.query<{ data: PromiseBroken }>(
      'SELECT data FROM outbox WHERE id > $1 AND subject = $2 AND key = ANY($3)',
      [last, PROMISE_BROKEN, this.#skus.map((sku) => `sku/${sku}`)],
    );
    for (const { data } of rows) assert.equal(data.reason, 'deadline');
    return rows
      .flatMap(({ data }) => data.promises)
      .map(({ reservation, fulfilment = null, quantity }) => brokenWords(reservation, fulfilment, quantity))
      .sort();
  }

  async #ofDatabase<T extends object>(statement: (typeof LOOKS)[keyof typeof LOOKS]): Promise<readonly T[]> {
    return (await this.#stage.looks.query<T>({ ...statement, values: [this.#skus] })).rows;
  }
}

/** Of each row, those that would be served last have nothing; what a node works on comes after all others. */
function shortOf(all: readonly Backed[]): readonly Short[] {
  const left = new Map(all.map(({ row, shortfall }) => [row, shortfall]));
  const losersFirst = all.toSorted(
    (a, b) =>
      Number(a.fulfilment !== null) - Number(b.fulfilment !== null) ||
      a.priority - b.priority ||
      b.since - a.since ||
      b.reservation - a.reservation ||
      b.line - a.line ||
      b.backing - a.backing,
  );
  return losersFirst.flatMap((of) => {
    const lacking = left.get(of.row) ?? 0;
    const units = Math.min(lacking, of.open);
    left.set(of.row, lacking - units);
    return units > 0 ? [{ of, units }] : [];
  });
}

function brokenBy(due: readonly Short[], one: Backed): Backed {
  const broken = due.filter(({ of }) => of === one).reduce((sum, { units }) => sum + units, 0);
  return { ...one, open: one.open - broken, broken: one.broken + broken };
}

function firstDue(told: readonly Told[]): number | null {
  const due = told.flatMap(([, , , , , one]) => one ?? []);
  return due.length === 0 ? null : Math.min(...due);
}

const unitsWords = ({ id, backing, open, broken }: Backed): string =>
  `${id} ${backing}: ${open} open, ${broken} broken`;
const shortWords = ({ of, units }: Short): string =>
  `${of.reservation} ${of.backing} at ${of.row}: ${units}, ${of.order_id === null ? 'nobody decides' : `${of.order_id} decides`}`;
const toldWords = (row: string, [reservation, backing, units, , order, due]: Told): string =>
  `${reservation} ${backing} at ${row}: ${units}, ${order === undefined || due === undefined ? 'nobody decides' : `${order} decides`}`;
const brokenWords = (reservation: string, fulfilment: string | null, units: number): string =>
  `${reservation} ${fulfilment ?? '-'}: ${units}`;
