/** Sends one operation of the plan and records what came of it. */
import type { HoldRequest, MovementsRequest, Reservation } from '@onepool/contracts';
import {
  type HoldOperation,
  type HoldRecord,
  type MovementOperation,
  type Operation,
  type Recorder,
  type Verb,
  type VerbOperation,
  grantOf,
  isExpectedRefusal,
} from '@onepool/simulator-domain';
import type { Caller, GrantedCall, RefusedCall } from './api-client.ts';
import { SystemUnavailable } from './system-unavailable.ts';

/** A part fulfilment names nodes; when its units have moved meanwhile it is decided anew this often. */
const PART_ATTEMPTS_MAX = 4;
const SETTLE_ROUNDS_MAX = 3;

interface Order {
  readonly interval: { readonly fromMs: number };
  /** The latest answer about a granted reservation; without one, its later steps are left out. */
  view: Reservation | undefined;
  /** A call about it stayed open from this instant on: its state is read once everything has been sent. */
  openSinceMs: number | undefined;
  /** The last step sent so far; the next one waits for it. */
  tail: Promise<void>;
}

export class OrderDriver {
  readonly #client: Caller;
  readonly #recorder: Recorder;
  readonly #orders = new Map<string, Order>();
  readonly #openMovements: { readonly operation: MovementOperation; readonly sinceMs: number }[] = [];

  constructor(client: Caller, recorder: Recorder) {
    this.#client = client;
    this.#recorder = recorder;
  }

  perform(operation: Operation): Promise<void> {
    if (operation.kind === 'movement') return this.#move(operation);
    if (operation.kind === 'hold') return this.#begin(operation);
    const order = this.#orders.get(operation.reservation);
    if (!order) throw new Error(`The plan has a step before its hold: ${operation.reservation}`);
    order.tail = order.tail.then(() => this.#step(order, operation));
    return order.tail;
  }

  /** Finds out what became of the calls that got no certain answer, now that nothing else is under way. */
  async settle(): Promise<void> {
    // A refusal is certain only when every attempt of its call was answered, which may take another round.
    for (let round = 1; this.#openMovements.length > 0; round += 1) {
      const open = this.#openMovements.splice(0);
      if (round > SETTLE_ROUNDS_MAX) throw new SystemUnavailable(`${open[0]?.operation.request.id} stays unanswered`);
      for (const { operation, sinceMs } of open) await this.#move(operation, sinceMs);
    }
    for (const [id, order] of this.#orders) {
      if (order.openSinceMs !== undefined) await this.#settleOrder(id, order.openSinceMs, order.view === undefined);
    }
  }

  #begin({ request }: HoldOperation): Promise<void> {
    const fromMs = performance.now();
    const order: Order = { interval: { fromMs }, view: undefined, openSinceMs: undefined, tail: Promise.resolve() };
    this.#orders.set(request.id, order);
    order.tail = this.#hold(order, request);
    return order.tail;
  }

  async #hold(order: Order, request: HoldRequest): Promise<void> {
    const result = await this.#client.call((onepool) => onepool.hold({ body: request }));
    const { interval } = result;
    const record: HoldRecord = {
      id: request.id,
      interval,
      allowPartial: request.allowPartial ?? false,
      requested: requestedUnits(request),
      outcome: 'unknown',
      backed: [],
      version: 0,
    };
    if (result.kind === 'unanswered') {
      order.openSinceMs = interval.fromMs;
      return this.#recorder.hold(record);
    }
    this.#recorder.holdLatenciesMs.push(interval.untilMs - interval.fromMs);
    if (result.kind === 'granted') {
      order.view = result.value;
      return this.#recorder.hold({ ...record, ...grantOf(result.value) });
    }
    // A refusal is not stored: an attempt that was cut off before may still be granted behind it.
    if (result.earlierAttemptOpen) order.openSinceMs = interval.fromMs;
    const refused = this.#isRefusal(request.id, result);
    this.#recorder.hold({ ...record, outcome: refused ? 'refused' : 'failed' });
  }

  async #step(order: Order, { reservation, verb }: VerbOperation): Promise<void> {
    for (let attempt = 1; order.view && order.openSinceMs === undefined; attempt += 1) {
      const lines = verb === 'fulfil_part' ? halfOf(order.view) : undefined;
      if (lines?.length === 0) return;
      const body = { commandId: `${reservation}-${verb}-${attempt}`, ...(lines ? { lines } : {}) };
      const operation = verb === 'fulfil_part' ? 'fulfil' : verb;
      const result = await this.#client.call((onepool) => onepool[operation]({ params: { id: reservation }, body }));
      if (result.kind === 'unanswered' || (result.kind === 'refused' && result.earlierAttemptOpen)) {
        order.openSinceMs = result.interval.fromMs;
        return;
      }
      if (result.kind === 'granted') return this.#took(order, verb, result);
      if (!this.#isRefusal(reservation, result)) return;
      if (verb !== 'fulfil_part' || attempt === PART_ATTEMPTS_MAX) return void (this.#recorder.stepsRefused += 1);
      order.view = await this.#read(reservation);
    }
  }

  #took(order: Order, verb: Verb, { value: view, interval }: GrantedCall<Reservation>): void {
    order.view = view;
    if (verb === 'confirm') this.#recorder.confirmed({ reservation: view.id, interval });
    else this.#recorder.step(view, interval);
  }

  /** `sinceMs`: when it was first sent, if that was in an earlier call that stayed open. */
  async #move(operation: MovementOperation, sinceMs = Infinity): Promise<void> {
    const request: MovementsRequest = operation.request;
    const { id, movements } = request;
    const result = await this.#client.call((onepool) => onepool.recordMovements({ body: request }));
    const interval = { ...result.interval, fromMs: Math.min(sinceMs, result.interval.fromMs) };
    const open = result.kind === 'unanswered' || (result.kind === 'refused' && result.earlierAttemptOpen);
    if (open) this.#openMovements.push({ operation, sinceMs: interval.fromMs });
    if (result.kind === 'unanswered') return this.#recorder.movement({ id, interval, movements, outcome: 'unknown' });
    if (result.kind === 'granted') {
      const recordedAtMs = Date.parse(result.value.recordedAt);
      return this.#recorder.movement({ id, interval, movements, outcome: 'applied', recordedAtMs });
    }
    const outcome = this.#isRefusal(id, result) ? 'refused' : 'failed';
    this.#recorder.movement({ id, interval, movements, outcome });
  }

  async #settleOrder(id: string, openSinceMs: number, holdOpen: boolean): Promise<void> {
    const reservation = await this.#read(id);
    if (!reservation) return;
    const untilMs = performance.now();
    if (holdOpen) this.#recorder.grantedAfterAll(id, reservation, untilMs);
    this.#recorder.step(reservation, { fromMs: openSinceMs, untilMs });
  }

  async #read(id: string): Promise<Reservation | undefined> {
    const result = await this.#client.call((onepool) => onepool.getReservation({ params: { id } }));
    if (result.kind === 'unanswered') throw new SystemUnavailable(`Reading ${id}: ${result.reason}`);
    return result.kind === 'granted' ? result.value : undefined;
  }

  #isRefusal(id: string, { problem }: RefusedCall): boolean {
    if (isExpectedRefusal(problem.code)) return true;
    this.#recorder.failure(id, `${problem.status} ${JSON.stringify(problem)}`.slice(0, 300));
    return false;
  }
}

const requestedUnits = ({ lines }: HoldRequest): Map<string, number> => {
  const units = new Map<string, number>();
  for (const { sku, quantity } of lines) units.set(sku, (units.get(sku) ?? 0) + quantity);
  return units;
};

/** Half of each second confirmed backing, rounded up: some lines ship in part, others later. */
const halfOf = (reservation: Reservation): { line: string; node: string; quantity: number }[] =>
  reservation.lines
    .flatMap(({ id: line, backings }) =>
      backings.flatMap(({ node, confirmed }) => (node === null || confirmed === 0 ? [] : [{ line, node, confirmed }])),
    )
    .filter((_, index) => index % 2 === 0)
    .map(({ line, node, confirmed }) => ({ line, node, quantity: Math.ceil(confirmed / 2) }));
