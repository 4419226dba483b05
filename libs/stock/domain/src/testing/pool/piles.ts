/** Promised units as the simple model of the pool has them: in piles of those that stand together. */
import { type OpenTally, type Tally, TALLIES } from '../../reservation.ts';

export type Tallies = Record<Tally, number>;

/** What units wait for, if it is not there yet: a line that is on its way, by its detail, or nothing that is known. */
export type Ahead = number | 'allowance' | null;

/** Where units stand; on no node, nobody backs them. Node 0 is any one. */
export interface Spot {
  readonly line: number;
  readonly sku: number;
  readonly node: number | null;
  readonly ahead: Ahead;
  readonly fulfilment: string | null;
}

export interface Pile extends Spot {
  readonly units: Tallies;
  /** Of each open unit, the number of stages that its node has told; lowest first. */
  reached: readonly number[];
  /** The fence that has paid for some of the units, and for how many. */
  fence: number | null;
  fenced: number;
}

export interface ModelLine {
  readonly id: string;
  readonly sku: number;
  nodes: readonly number[] | null;
  /** All that was ever granted or added. */
  units: number;
}

export interface Promised {
  readonly key: number;
  channel: number;
  version: number;
  expiresAt: number;
  /** Of those who wait, whoever matters more is served first, and then whoever came first. */
  priority: number;
  since: number;
  order: string | null;
  readonly lines: ModelLine[];
  /** In the order in which they were made; none goes. */
  readonly piles: Pile[];
}

export interface Which {
  readonly line?: string | undefined;
  readonly sku?: number | undefined;
  readonly node?: number | null | undefined;
  readonly fulfilment?: string | null | undefined;
  readonly quantity: number;
}

export type Taken = readonly (readonly [Pile, number])[];
export type ByNeed = (a: Pile, b: Pile) => number;

export const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);
export const noTallies = (): Tallies => Object.fromEntries(TALLIES.map((tally) => [tally, 0])) as Tallies;
export const openIn = ({ units }: Pile): number => units.held + units.confirmed;
export const past = ({ reached }: Pile, stage: number): number => reached.filter((one) => one >= stage).length;
export const totalIn = ({ piles }: Promised, tally: Tally): number => sum(piles.map(({ units }) => units[tally]));

/** Sorting is stable, and piles stand in the order in which they were made. */
export const byLine: ByNeed = (a, b) => a.line - b.line;
export const isThere = ({ node, ahead }: Pile): boolean => node !== null && ahead === null;
export const remoteness = ({ node, ahead, fulfilment }: Pile): number => {
  if (node === null) return 3;
  if (ahead !== null) return 2;
  return fulfilment === null ? 1 : 0;
};
export const lastToLeave: ByNeed = (a, b) =>
  remoteness(b) - remoteness(a) ||
  past(a, 3) - past(b, 3) ||
  past(a, 2) - past(b, 2) ||
  past(a, 1) - past(b, 1) ||
  byLine(a, b);

export const atNode = (pile: Pile): number => (isThere(pile) ? openIn(pile) : 0);
export const isSameRow = (a: Spot, b: Spot): boolean => a.node === b.node && a.ahead === b.ahead;

export function rowsOf(taken: Taken): readonly { readonly sku: number; readonly node: number }[] {
  const rows = new Map(taken.map(([{ sku, node }]) => [`${sku}/${node}`, { sku, node: node ?? 0 }]));
  return [...rows.values()];
}

/** Takes open units off a pile, and says how far each had come. */
export function takeOff(pile: Pile, from: OpenTally, quantity: number, first: 'most' | 'least'): readonly number[] {
  const start = first === 'least' ? 0 : pile.reached.length - quantity;
  const taken = pile.reached.slice(start, start + quantity);
  pile.reached = [...pile.reached.slice(0, start), ...pile.reached.slice(start + quantity)];
  pile.units[from] -= quantity;
  return taken;
}

export function putOn(pile: Pile, to: OpenTally, reached: readonly number[]): void {
  pile.units[to] += reached.length;
  pile.reached = [...pile.reached, ...reached].sort((a, b) => a - b);
}

export function end(pile: Pile, from: OpenTally, to: Tally, quantity: number, first: 'most' | 'least'): void {
  takeOff(pile, from, quantity, first);
  pile.units[to] += quantity;
}

export function pileAt({ piles }: Promised, { line, sku, node, ahead, fulfilment }: Spot): Pile {
  const found = piles.find(
    (one) => one.line === line && one.node === node && one.ahead === ahead && one.fulfilment === fulfilment,
  );
  if (found) return found;
  const made: Pile = { line, sku, node, ahead, fulfilment, units: noTallies(), reached: [], fence: null, fenced: 0 };
  piles.push(made);
  return made;
}

export function isMeant({ lines }: Promised, { line, sku, node, fulfilment }: Which, pile: Pile): boolean {
  return (
    (line === undefined || lines[pile.line]?.id === line) &&
    (sku === undefined || pile.sku === sku) &&
    (node === undefined || (pile.node ?? 0) === (node ?? 0)) &&
    (fulfilment === undefined || pile.fulfilment === fulfilment)
  );
}

/** The units that are meant, pile by pile; null where there are fewer. */
export function choose(promised: Promised, which: Which, count: (pile: Pile) => number, order: ByNeed): Taken | null {
  const taken: [Pile, number][] = [];
  let left = which.quantity;
  for (const pile of promised.piles.filter((one) => isMeant(promised, which, one)).sort(order)) {
    const units = Math.min(left, count(pile));
    if (units > 0) taken.push([pile, units]);
    left -= units;
  }
  return left === 0 ? taken : null;
}

export const copyOf = (promised: Promised): Promised => ({
  ...promised,
  lines: promised.lines.map((line) => ({ ...line })),
  piles: promised.piles.map((pile) => ({ ...pile, units: { ...pile.units } })),
});

export const zeros = (units: number): readonly number[] => Array.from({ length: units }, () => 0);

/** Confirmed units go first. How far they have come stays behind, unless they stay at their node. */
export function relocate(promised: Promised, from: Pile, to: Spot, units: number): void {
  const target = pileAt(promised, to);
  if (target === from) return;
  const confirmed = Math.min(units, from.units.confirmed);
  for (const [tally, quantity] of [
    ['confirmed', confirmed],
    ['held', units - confirmed],
  ] as const) {
    const reached = takeOff(from, tally, quantity, 'least');
    putOn(target, tally, isSameRow(from, to) ? reached : zeros(quantity));
  }
}

export function lineOf({ key, lines }: Promised, line: number): ModelLine {
  const found = lines[line];
  if (!found) throw new Error(`reservation ${key} has no line ${line}`);
  return found;
}
