/** Writes the client's history while the replay runs. */
import type { Reservation } from '../messages.ts';
import {
  type ConfirmRecord,
  type History,
  type HoldRecord,
  type Interval,
  type MovementRecord,
  type StepRecord,
  type Units,
  backedUnits,
} from './history.ts';

/** An answer that neither did what was asked nor refused it for a reason that a correct client expects. */
export interface Failure {
  readonly id: string;
  readonly answer: string;
}

interface Gone {
  fulfilled: number;
  givenBack: number;
}

export class Recorder {
  readonly #holds = new Map<string, HoldRecord>();
  readonly #movements = new Map<string, MovementRecord>();
  readonly #steps: StepRecord[] = [];
  readonly #confirms: ConfirmRecord[] = [];
  /** What answers have told so far of units that left a reservation, by reservation, then `sku\nnode`. */
  readonly #gone = new Map<string, Map<string, Gone>>();
  readonly failures: Failure[] = [];
  readonly holdLatenciesMs: number[] = [];
  stepsRefused = 0;

  hold(record: HoldRecord): void {
    this.#holds.set(record.id, record);
  }

  /** A hold whose outcome was open turned out to have been granted. */
  grantedAfterAll(id: string, reservation: Reservation, untilMs: number): void {
    const record = this.#holds.get(id);
    if (!record) return;
    const { fromMs } = record.interval;
    this.hold({ ...record, ...grantOf(reservation), interval: { fromMs, untilMs } });
  }

  movement(record: MovementRecord): void {
    this.#movements.set(record.id, record);
  }

  confirmed(record: ConfirmRecord): void {
    this.#confirms.push(record);
  }

  failure(id: string, answer: string): void {
    this.failures.push({ id, answer });
  }

  /** Notes what a reservation's answer shows to have left its backings since the answer before. */
  step(reservation: Reservation, interval: Interval): void {
    const gone = this.#gone.get(reservation.id) ?? new Map<string, Gone>();
    this.#gone.set(reservation.id, gone);
    const fulfilled: Units[] = [];
    const givenBack: Units[] = [];
    for (const [key, { sku, node, now }] of leftUnits(reservation)) {
      const before = gone.get(key) ?? { fulfilled: 0, givenBack: 0 };
      gone.set(key, now);
      const add = (list: Units[], quantity: number): void =>
        void (quantity !== 0 && list.push({ sku, node, quantity }));
      add(fulfilled, now.fulfilled - before.fulfilled);
      add(givenBack, now.givenBack - before.givenBack);
    }
    const id = reservation.id;
    if (fulfilled.length > 0) this.#steps.push({ reservation: id, interval, effect: 'fulfilled', units: fulfilled });
    if (givenBack.length > 0) this.#steps.push({ reservation: id, interval, effect: 'given_back', units: givenBack });
  }

  history(): History {
    return {
      holds: [...this.#holds.values()],
      movements: [...this.#movements.values()],
      steps: this.#steps,
      confirms: this.#confirms,
    };
  }
}

/** What a granted answer says. */
export const grantOf = (reservation: Reservation): Pick<HoldRecord, 'outcome' | 'backed' | 'version'> => ({
  outcome: 'granted',
  backed: backedUnits(reservation),
  version: reservation.version,
});

const leftUnits = (reservation: Reservation): Map<string, { sku: string; node: string; now: Gone }> => {
  const left = new Map<string, { sku: string; node: string; now: Gone }>();
  for (const { sku, backings } of reservation.lines) {
    for (const { node, fulfilled, released, cancelled } of backings) {
      if (node === null) continue;
      const key = `${sku}\n${node}`;
      const one = left.get(key) ?? { sku, node, now: { fulfilled: 0, givenBack: 0 } };
      left.set(key, one);
      one.now.fulfilled += fulfilled;
      one.now.givenBack += released + cancelled;
    }
  }
  return left;
};
