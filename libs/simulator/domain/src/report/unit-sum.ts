/** Where the units of a run went: what came in, against what left and what is still there. Pure. */
import type { History } from '../history/history.ts';
import type { Movement, StockOfSku } from '../messages.ts';

/** All in units. `received` is the sum of the others, less `overdrawn`, unless something is wrong. */
export interface UnitSum {
  /** On the shelves at the start, and what came later: returns, finds. */
  readonly received: number;
  readonly soldAtCounters: number;
  readonly shipped: number;
  readonly writtenOff: number;
  /** On a shelf and promised to a buyer. */
  readonly promised: number;
  readonly damaged: number;
  /** On a shelf and promised to nobody. */
  readonly left: number;
  /** Sold at a counter although the book had none there. */
  readonly overdrawn: number;
  /** What the lines above do not explain: 0, or the book is wrong or a call stayed without an answer. */
  readonly unexplained: number;
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);

export const unitSum = (history: History, stocks: readonly StockOfSku[]): UnitSum => {
  const movements = history.movements.flatMap(({ outcome, movements }) => (outcome === 'applied' ? movements : []));
  const moved = (...types: Movement['type'][]): number[] =>
    movements.filter(({ type }) => types.includes(type)).map(({ quantity }) => quantity);
  const adjusted = moved('adjustment');
  const rows = stocks.flatMap((stock) => stock.rows);
  const promised = sum(rows.map(({ committed, reserved, shortfall }) => committed + reserved - shortfall));
  const damaged = sum(rows.map((row) => row.damaged));
  const parts = {
    received: sum(moved('receipt', 'found')) + sum(adjusted.filter((units) => units > 0)),
    soldAtCounters: sum(moved('sale')),
    shipped: sum(
      history.steps.flatMap(({ effect, units }) =>
        effect === 'fulfilled' ? units.map(({ quantity }) => quantity) : [],
      ),
    ),
    writtenOff: -sum(adjusted.filter((units) => units < 0)),
    promised,
    damaged,
    left: sum(rows.map(({ onHand }) => onHand)) - promised - damaged,
    overdrawn: sum(rows.map(({ overdrawn }) => overdrawn)),
  };
  const { received, overdrawn, ...where } = parts;
  return { ...parts, unexplained: received + overdrawn - sum(Object.values(where)) };
};

/** The sum as aligned lines; those that are 0 are left out, but for what is left. */
export const unitLines = (units: UnitSum): string[] => {
  const parts: readonly (readonly [string, number])[] = [
    ['sold at counters', units.soldAtCounters],
    ['shipped to buyers', units.shipped],
    ['promised to buyers, and on a shelf for them', units.promised],
    ['written off', units.writtenOff],
    ['damaged, on a shelf', units.damaged],
    ['not explained; must be 0', units.unexplained],
    ['less: sold at a counter although its book had none', -units.overdrawn],
  ];
  const shown = [...parts.filter(([, value]) => value !== 0), ['left, promised to nobody', units.left] as const];
  const lines = [['units at the start, and received later', units.received] as const, ...shown];
  return lines.map(([what, value], index) => {
    const sign = index === 0 ? ' ' : index === 1 ? '=' : '+';
    return `${sign} ${what.padEnd(52)}${value.toLocaleString('en-US').padStart(12)}`;
  });
};
