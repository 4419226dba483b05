/** Plays a history with many callers at once, and looks at what must be so whoever of them comes first. */
import assert from 'node:assert/strict';
import { type MovementsResult, PROMISE_BROKEN, type ReceiptResult, type ShipResult } from '@onepool/contracts';
import type { Command, Told } from '@onepool/stock-domain/testing';
import { act, codeOf, done, record, sale } from '../asking.ts';
import { unservedAtRest } from '../laws.ts';
import type { Random } from '../seeded.ts';
import { HistoryCaller, type Said } from './caller.ts';
import type { Request } from './requests.ts';
import { type HistoryStage, SKUS_EACH, nodeCode, skuCode } from './stage.ts';
import { type Tally, count } from './tally.ts';

const CALLERS = 8;
const ROUNDS_MAX = 20;
/** Whatever else is refused is a fault of the engine. */
const EXPECTED_REFUSALS: ReadonlySet<string> = new Set([
  ...['stock.insufficient', 'movement.exceeds_stock', 'inbound.unknown', 'inbound.line_unknown', 'inbound.line_closed'],
  ...['inspection.unknown', 'inspection.exceeds_open', 'reservation.unknown', 'reservation.tombstoned'],
  ...['expired', 'not_held', 'not_confirmed', 'units_missing', 'conflict', 'attached', 'pinned'].map(
    (why) => `reservation.${why}`,
  ),
]);

const LOOKS = {
  /** What came in and went out by commands, less what a count had seen. */
  flows: {
    name: 'flows',
    text: `SELECT source_event_id AS id, sum(CASE from_state WHEN 0 THEN quantity ELSE -quantity END)::int AS units
             FROM ledger JOIN sku_code USING (sku_key)
            WHERE code = ANY($1) AND 0 IN (from_state, to_state) AND reason NOT IN ('reset', 'delta') GROUP BY 1`,
  },
  versions: {
    name: 'versions',
    text: 'SELECT code, version FROM sku_gate JOIN sku_code USING (sku_key) WHERE code = ANY($1) ORDER BY code',
  },
  broken: {
    name: 'broken',
    text: `SELECT r.id, sum(b.broken)::int AS units
             FROM backing b JOIN sku_code USING (sku_key) JOIN reservation r USING (reservation_key)
            WHERE code = ANY($1) AND b.broken > 0 GROUP BY 1 ORDER BY 1`,
  },
  /** The deadlines of all that is short are over. */
  passDeadlines: {
    name: 'pass-deadlines',
    text: `UPDATE stock_exception e SET due_at = '2020-01-01',
                  refs = replace(refs::text, round(extract(epoch FROM due_at) * 1000)::bigint::text, '1577836800000')::json
             FROM sku_code k WHERE k.code = ANY($1) AND e.sku_key = k.sku_key AND closed_at IS NULL AND due_at IS NOT NULL
           RETURNING e.code`,
  },
  unapplied: {
    name: 'unapplied',
    text: 'SELECT code FROM stock JOIN sku_code USING (sku_key) WHERE code = ANY($1) AND unapplied > 0',
  },
} as const;

interface Acknowledged {
  readonly request: Request;
  readonly value: unknown;
}

export interface AtOnceOptions {
  readonly random: Random;
  readonly tally: Tally;
}

export class CallersAtOnce {
  readonly #stage: HistoryStage;
  readonly #skus: readonly string[];
  readonly #history: number;
  readonly #random: Random;
  readonly #tally: Tally;
  readonly #caller: HistoryCaller;
  readonly #acknowledged: Acknowledged[] = [];
  /** The last fact before the first of the history. */
  #begun = '0';
  /** Being asked for or answered, by the numbers of reservations. */
  readonly #holds = new Map<number, Promise<void>>();
  /** Newest versions that answers have told, by reservation. */
  readonly #versions = new Map<string, number>();
  /** By command: units that came in with it, or went out (< 0); null where its answer does not say. */
  readonly #flows = new Map<string, number | null>();

  constructor(stage: HistoryStage, history: number, { random, tally }: AtOnceOptions) {
    this.#stage = stage;
    this.#history = history;
    this.#random = random;
    this.#tally = tally;
    this.#skus = SKUS_EACH.map((sku) => skuCode(history, sku));
    this.#caller = new HistoryCaller(stage, history, random);
  }

  /** @throws where something is not as it must be */
  async play(told: readonly Told[]): Promise<void> {
    try {
      this.#begun = await this.#lastFact();
      for (let at = 0; at < told.length; at += CALLERS) {
        const some = told.slice(at, at + CALLERS);
        for (const first of some.slice(0, 1)) await this.#caller.time.pass(first, (key) => this.#caller.idOf(key));
        const asked = some.map((one, place) => this.#ask(one, `h${this.#history}-${at + place + 1}`));
        if (this.#random.below(2) === 0) asked.push(this.#runShort(`h${this.#history}-short-${at}`));
        await Promise.all(asked);
      }
      await this.#rest();
      const atRest = await this.#ofDatabase(LOOKS.versions);
      await Promise.all(this.#acknowledged.map((one) => this.#askAgain(one)));
      await this.#judge();
      assert.deepEqual(await this.#ofDatabase(LOOKS.versions), atRest, 'whoever asks again changes nothing');
      await this.#caller.liftFences();
    } catch (error) {
      throw new Error(`history ${this.#history} at once: ${(error as Error).message}`, { cause: error });
    }
  }

  /** An order decides about a promise, units are sold that were promised, and of what orders have not decided about the deadline is over. */
  async #runShort(id: string): Promise<void> {
    const engine = this.#random.pick(this.#stage.engines);
    const reservations = [...this.#versions.keys()];
    if (reservations.length > 0) {
      const reservation = this.#random.pick(reservations);
      const order = { commandId: `${id}-attach`, order: `${reservation}.${id}` };
      const attached = await act(engine, reservation, 'attach', order);
      count(this.#tally, `attach to run short, at once: ${codeOf(attached) ?? 'done'}`);
    }
    const quantity = 1 + this.#random.below(6);
    const sold = sale(this.#random.pick(this.#skus), nodeCode(1 + this.#random.below(4)), quantity);
    const { late } = done(await record(engine, id, [sold]));
    this.#flows.set(id, late.length > 0 ? 0 : -quantity);
    for (const _ of await this.#ofDatabase(LOOKS.passDeadlines)) count(this.#tally, 'deadline, at once: over');
  }

  async #lastFact(): Promise<string> {
    const { rows } = await this.#stage.looks.query<{ id: string }>('SELECT coalesce(max(id), 0) AS id FROM outbox');
    return rows[0]?.id ?? '0';
  }

  /** Units of promises that facts have told to be broken. */
  async #toldBroken(): Promise<readonly unknown[]> {
    const { rows } = await this.#stage.looks.query<{ id: string; units: number }>(
      `SELECT promise->>'reservation' AS id, sum((promise->>'quantity')::int)::int AS units
         FROM outbox CROSS JOIN LATERAL json_array_elements(data->'promises') AS promise
        WHERE id > $1 AND subject = $2 AND key = ANY($3) GROUP BY 1 ORDER BY 1`,
      [this.#begun, PROMISE_BROKEN, this.#skus.map((sku) => `sku/${sku}`)],
    );
    return rows;
  }

  /** Mostly whoever names a reservation has heard of it first. */
  async #ask(told: Told, id: string): Promise<void> {
    const { command } = told;
    const isImpatient = this.#random.below(8) === 0;
    if (command.kind === 'hold') this.#holds.set(command.reservation, this.#say(told, id));
    else if (!isImpatient) await Promise.all(namedBy(command).map(async (reservation) => this.#holds.get(reservation)));
    await (command.kind === 'hold' ? this.#holds.get(command.reservation) : this.#say(told, id));
  }

  async #say(told: Told, id: string): Promise<void> {
    const { command } = told;
    const [one, other] = this.#stage.engines;
    const [engine, also] = this.#random.below(2) === 0 ? [one, other] : [other, one];
    const versionOf = (reservation: string): number | undefined => this.#versions.get(reservation);
    const twice = this.#random.below(4) === 0 ? { also } : {};
    const said = await this.#caller.say(told, { engine, id, mayDefer: true, versionOf, ...twice });
    const { how, answer } = said;
    count(this.#tally, `${how}, at once: ${answer.ok ? 'done' : answer.rejection.code}`);
    for (const one of [answer, said.also])
      if (one && !one.ok && !EXPECTED_REFUSALS.has(one.rejection.code))
        throw new Error(`${id} ${JSON.stringify(command)} was refused: ${JSON.stringify(one.rejection)}`);
    const accepted = answer.ok ? answer : said.also;
    if (accepted?.ok) this.#note(command, id, said, accepted.value);
    if (answer.ok && said.also?.ok) assert.deepEqual(said.also.value, answer.value, `${id}, asked twice`);
  }

  #note(command: Command, id: string, { request }: Said, value: unknown): void {
    for (const { id: reservation, version } of reservationsIn(value))
      this.#versions.set(reservation, Math.max(version, this.#versions.get(reservation) ?? 0));
    if (request === null) return;
    // What is said of a line is said once more, whatever has been said since.
    if (command.kind !== 'announce') this.#acknowledged.push({ request, value });
    this.#flows.set(id, flowOf(command, value));
  }

  async #askAgain({ request, value }: Acknowledged): Promise<void> {
    const again = await request(this.#random.pick(this.#stage.engines));
    assert.deepEqual(again.ok ? again.value : again.rejection, value);
  }

  /** Until the engine has nothing to do by itself. */
  async #rest(): Promise<void> {
    for (let round = 0; round < ROUNDS_MAX; round++) {
      const before = await this.#ofDatabase(LOOKS.versions);
      for (const sku of SKUS_EACH) {
        // One of them, or one that has not seen the history.
        const engine = this.#random.pick([...this.#stage.engines, this.#stage.other]);
        const key = await this.#caller.keyOf(sku, engine);
        await engine.offer(key);
        await engine.drain(key);
      }
      const isAtRest = JSON.stringify(await this.#ofDatabase(LOOKS.versions)) === JSON.stringify(before);
      if (isAtRest && (await this.#ofDatabase(LOOKS.unapplied)).length === 0) return;
    }
    throw new Error(`does not come to rest in ${ROUNDS_MAX} rounds`);
  }

  async #judge(): Promise<void> {
    assert.deepEqual(await unservedAtRest(this.#stage.pool.dataSource, this.#skus), []);
    assert.deepEqual(await this.#toldBroken(), await this.#ofDatabase(LOOKS.broken), 'each broken unit is told once');
    const flows = (await this.#ofDatabase(LOOKS.flows)) as readonly { readonly id: string; readonly units: number }[];
    const found = new Map(flows.map(({ id, units }) => [id, units]));
    for (const id of found.keys()) assert.ok(this.#flows.has(id), `nobody was told that ${id} moved units`);
    for (const [id, units] of this.#flows)
      if (units !== null) assert.equal(found.get(id) ?? 0, units, `units that came or went by ${id}`);
  }

  async #ofDatabase(statement: (typeof LOOKS)[keyof typeof LOOKS]): Promise<readonly unknown[]> {
    return (await this.#stage.looks.query({ ...statement, values: [this.#skus] })).rows;
  }
}

function namedBy(command: Command): readonly number[] {
  if (command.kind === 'allocate') return command.parts.map(({ reservation }) => reservation);
  if (command.kind === 'ship') return command.rider ? [command.rider.reservation] : [];
  return 'reservation' in command ? [command.reservation] : [];
}

interface Versioned {
  readonly id: string;
  readonly version: number;
}

/** A verb answers a reservation, and an allocation those that it has moved. */
function reservationsIn(value: unknown): readonly Versioned[] {
  const answered = value as Partial<Versioned & { readonly reservations: readonly Versioned[] }> | null;
  if (answered?.reservations) return answered.reservations;
  const { id, version } = answered ?? {};
  return id !== undefined && version !== undefined ? [{ id, version }] : [];
}

function flowOf(command: Command, value: unknown): number | null {
  if (command.kind === 'receive') return (value as ReceiptResult).lines.every(({ late }) => late) ? 0 : command.units;
  if (command.kind === 'ship') return (value as ShipResult).lines.every(({ late }) => late) ? 0 : -command.units;
  if (command.kind !== 'movement') return null;
  // Counts of one state leave out no unit of all that is there.
  const ofTotals = (value as MovementsResult).late.filter(({ state }) => state === undefined);
  const seen = ofTotals.reduce((sum, { quantity }) => sum + quantity, 0);
  return signed(command) - seen;
}

function signed({ type, quantity }: Extract<Command, { kind: 'movement' }>): number {
  if (type === 'sale' || type === 'scrap') return -quantity;
  return type === 'receipt' || type === 'found' || type === 'adjustment' ? quantity : 0;
}
