/**
 * True runs of the model pool, told as a client would know them: every effect has a true instant, and the interval
 * around it is as wide as the random numbers say, so that neighbours overlap.
 */
import { ModelPool } from '@onepool/testing-model-pool';
import type { AuditInput } from '../audit/audit.ts';
import type { HoldRecord, Interval, MoveFact, MovementRecord, StepRecord } from '../history/history.ts';
import type { Movement, StockOfSku } from '../messages.ts';
import { randomOf } from '../plan/random.ts';

export interface RandomRun {
  readonly input: AuditInput;
  readonly pool: ModelPool;
}
export const NODES = ['n1', 'n2', 'n3'] as const;
export const SKUS = ['A', 'B'] as const;

interface Recording {
  readonly holds: HoldRecord[];
  readonly steps: StepRecord[];
  readonly movements: MovementRecord[];
  readonly moves: MoveFact[];
}

/** `overlap` is the largest distance, in effects, between an effect and the ends of its call. */
export const randomRun = (seed: number, length: number, overlap: number): RandomRun => {
  const random = randomOf(seed, 'run');
  const pool = new ModelPool(NODES);
  const recording: Recording = { holds: [], steps: [], movements: [], moves: [] };
  const interval = (at: number): Interval => ({
    fromMs: at - random.fraction() * overlap,
    untilMs: at + random.fraction() * overlap,
  });
  const pick = <T>(items: readonly T[]): T => items[random.below(items.length)] as T;

  const hold = (at: number): void => {
    const id = `h${at}`;
    const requested = new Map<string, number>([[pick(SKUS), 1 + random.below(6)]]);
    if (random.fraction() < 0.3) requested.set(pick(SKUS), 1 + random.below(6));
    const allowPartial = random.fraction() < 0.3;
    const backed = pool.hold(id, requested, allowPartial);
    const outcome = backed ? 'granted' : 'refused';
    recording.holds.push({
      id,
      interval: interval(at),
      allowPartial,
      requested,
      outcome,
      backed: backed ?? [],
      version: 1,
    });
  };
  const step = (at: number): void => {
    const granted = recording.holds.filter(({ outcome }) => outcome === 'granted');
    if (granted.length === 0) return;
    const { id } = pick(granted);
    const units = pool.open(id).filter(() => random.fraction() < 0.7);
    if (units.length === 0) return;
    const effect = random.fraction() < 0.5 ? 'given_back' : 'fulfilled';
    if (effect === 'fulfilled') pool.fulfil(id, units);
    else pool.giveBack(id, units);
    recording.steps.push({ reservation: id, interval: interval(at), effect, units });
  };
  const move = (at: number): void => {
    const sku = pick(SKUS);
    const node = pick(NODES);
    const quantity = 1 + random.below(8);
    const type = pick(['receipt', 'receipt', 'sale', 'sale', 'damage', 'adjustment'] as const);
    const movement: Movement = { type, sku, node, quantity: type === 'adjustment' ? -quantity : quantity };
    let applied = true;
    if (type === 'receipt') pool.supply(sku, node, quantity);
    else if (type === 'damage') applied = pool.damage(sku, node, quantity);
    else pool.take(sku, node, quantity);
    const outcome = applied ? 'applied' : 'refused';
    recording.movements.push({
      id: `m${at}`,
      interval: interval(at),
      movements: [movement],
      outcome,
      recordedAtMs: at,
    });
  };
  const heal = (at: number): void => {
    for (const moved of pool.heal(pick(SKUS)))
      recording.moves.push({ ...moved, version: 2, recordedAtMs: at, receivedAtMs: at + random.fraction() * overlap });
  };

  for (let at = 1; at <= length; at += 1) pick([hold, hold, hold, step, move, move, heal])(at);
  for (const sku of SKUS) {
    for (const moved of pool.heal(sku))
      recording.moves.push({ ...moved, version: 2, recordedAtMs: length + 1, receivedAtMs: length + 1 + overlap });
  }
  const { moves, ...records } = recording;
  return {
    pool,
    input: { history: { ...records, confirms: [] }, moves, confirmFacts: [], stocks: stocksOf(pool) },
  };
};

export const stocksOf = (pool: ModelPool): StockOfSku[] =>
  SKUS.map((sku) => ({ sku, version: 0, rows: pool.stockRows(sku) }));
