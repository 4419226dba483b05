import type { ConfirmFact, History, HoldRecord, MoveFact, Units } from '../history/history.ts';
import type { Movement } from '../messages.ts';
import { type Effect, type FloatingClaim, type Timing, effectOf } from './effect.ts';
import { groupBy } from './group-by.ts';
import { placeMoves } from './place-moves.ts';

export interface Effects {
  readonly effects: readonly Effect[];
  /** The holds, each backed where it was when it was granted. */
  readonly holds: readonly HoldRecord[];
  readonly floating: readonly FloatingClaim[];
}

/** Turns the history and the facts about moves into effects per (SKU, node). */
export const effectsOf = (
  history: History,
  moves: readonly MoveFact[],
  confirmFacts: readonly ConfirmFact[],
): Effects => {
  const effects: Effect[] = [];
  const floating: FloatingClaim[] = [];
  const movesByReservation = groupBy(moves, ({ reservation }) => reservation);
  const holds = history.holds.map((hold) => {
    const own = movesByReservation.get(hold.id);
    return own ? { ...hold, backed: originallyBacked(hold, own) } : hold;
  });
  for (const hold of holds) {
    if (hold.outcome === 'granted') {
      const timing = { ...hold.interval, certain: true, cause: hold.id };
      for (const units of hold.backed) effects.push(effectOf(units, timing, { promised: units.quantity, claim: true }));
    } else if (hold.outcome === 'unknown') {
      for (const [sku, quantity] of hold.requested) floating.push({ sku, fromMs: hold.interval.fromMs, quantity });
    }
  }
  for (const { reservation, interval, effect, units } of history.steps) {
    const timing = { ...interval, certain: true, cause: reservation };
    for (const one of units) {
      const net = effect === 'fulfilled' ? -one.quantity : 0;
      effects.push(effectOf(one, timing, { net, promised: -one.quantity }));
    }
  }
  for (const { id, interval, movements, outcome } of history.movements) {
    if (outcome !== 'applied' && outcome !== 'unknown') continue;
    const timing = { ...interval, certain: outcome === 'applied', cause: id };
    for (const movement of movements) effects.push(...movementEffects(movement, timing));
  }
  effects.push(...moveEffects(history, moves, confirmFacts));
  return { effects, holds, floating };
};

/** Where the grant was backed when it was made: moves that its answer already showed are undone. */
export const originallyBacked = (hold: HoldRecord, moves: readonly MoveFact[]): Units[] => {
  const undone = moves.filter(({ version, to }) => version <= hold.version && to !== undefined);
  if (undone.length === 0) return [...hold.backed];
  const units = new Map<string, Units>();
  const add = (sku: string, node: string, quantity: number): void => {
    const key = `${sku}\n${node}`;
    units.set(key, { sku, node, quantity: (units.get(key)?.quantity ?? 0) + quantity });
  };
  for (const { sku, node, quantity } of hold.backed) add(sku, node, quantity);
  for (const { sku, node, to, quantity } of undone) {
    add(sku, node, quantity);
    add(sku, to ?? node, -quantity);
  }
  return [...units.values()].filter(({ quantity }) => quantity !== 0);
};

const movementEffects = (movement: Movement, timing: Timing): Effect[] => {
  const { quantity } = movement;
  switch (movement.type) {
    case 'sale':
      return [effectOf(movement, timing, { net: -quantity })];
    case 'receipt':
    case 'found':
    case 'adjustment':
      return [effectOf(movement, timing, { net: quantity })];
    case 'damage':
      return [effectOf(movement, timing, { damaged: quantity })];
    case 'transfer':
      return [
        effectOf(movement, timing, { net: -quantity }),
        effectOf({ sku: movement.sku, node: movement.toNode }, timing, { net: quantity }),
      ];
    case 'safety_stock':
    case 'scrap':
    case 'state':
      throw new Error(`A replay has no movement ${movement.type}: the audit has no rule for it.`);
  }
};

const moveEffects = (history: History, moves: readonly MoveFact[], confirmFacts: readonly ConfirmFact[]): Effect[] => {
  const intervals = placeMoves(history, moves, confirmFacts);
  return moves.flatMap((move, index) => {
    const { sku, node, to, quantity, reservation } = move;
    const { fromMs = -Infinity, untilMs = Infinity } = intervals[index] ?? {};
    const timing: Timing = { fromMs, untilMs, certain: true, cause: `${reservation} (moved)` };
    const left = effectOf({ sku, node }, timing, { promised: -quantity });
    if (to === undefined) return [left];
    return [left, effectOf({ sku, node: to }, timing, { promised: quantity, claim: true })];
  });
};
