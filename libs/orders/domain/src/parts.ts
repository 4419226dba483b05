/**
 * Units of an order, and how they move. A part is a quantity of one component of a line that is in one bucket, perhaps in a fulfilment, with
 * the amounts of these units. Parts are the sum of an order's unit movements, which are never changed: time in a bucket, the timeline and
 * what was so at any moment are questions about them.
 */
import { type Amounts, add, divide } from '@onepool/money';
import { type Result, accept, reject } from '@onepool/result';
import { type Bucket, isOfFulfilment, mayMove } from './bucket.ts';

export type FulfilmentKey = number;

/** A component of a line: a plain SKU has one, a kit several. Both by their number in the order. */
export interface Component {
  readonly line: number;
  readonly component: number;
}

export interface Place {
  readonly bucket: Bucket;
  readonly fulfilment: FulfilmentKey | null;
}

export interface Part extends Component, Place {
  /** Above 0. */
  readonly quantity: number;
  /** Of all its units. */
  readonly amounts: Amounts;
}

export interface UnitMove extends Component {
  readonly from: Place;
  readonly to: Place;
  /** Above 0. */
  readonly quantity: number;
}

/** A move that was made, with what its units took along. */
export interface UnitMovement extends UnitMove {
  readonly amounts: Amounts;
}

export type MoveRejection =
  /** Nobody goes from there to there, or a place is none. */
  | { readonly code: 'units.illegal_move'; readonly move: UnitMove }
  /** Fewer units are there. */
  | { readonly code: 'units.missing'; readonly move: UnitMove; readonly there: number };

export interface Moved {
  readonly parts: readonly Part[];
  readonly movement: UnitMovement;
}

const isAt = (part: Part, { line, component }: Component, { bucket, fulfilment }: Place): boolean =>
  part.line === line && part.component === component && part.bucket === bucket && part.fulfilment === fulfilment;

const isSound = ({ bucket, fulfilment }: Place): boolean => isOfFulfilment(bucket) === (fulfilment !== null);

function isLegal({ from, to, quantity }: UnitMove): boolean {
  if (!Number.isSafeInteger(quantity) || quantity <= 0 || !isSound(from) || !isSound(to)) return false;
  if (!mayMove(from.bucket, to.bucket)) return false;
  // Units change their fulfilment only before a node has been told of them, or by leaving it.
  if (from.fulfilment === null || to.fulfilment === null) return true;
  return (from.fulfilment === to.fulfilment) === (from.bucket !== to.bucket);
}

/** Moves exactly `quantity` units with their share of the amounts; the others of the part keep theirs. */
export function moveUnits(parts: readonly Part[], move: UnitMove): Result<Moved, MoveRejection> {
  if (!isLegal(move)) return reject({ code: 'units.illegal_move', move });
  const { from, to, quantity } = move;
  const source = parts.find((part) => isAt(part, move, from));
  if (!source || source.quantity < quantity) {
    return reject({ code: 'units.missing', move, there: source?.quantity ?? 0 });
  }
  const rest = source.quantity - quantity;
  const [amounts, kept] = divide(source.amounts, [quantity, rest]) as [Amounts, Amounts];
  const left = rest === 0 ? [] : [{ ...source, quantity: rest, amounts: kept }];
  const others = parts.flatMap((part) => (part === source ? left : [part]));
  const { line, component } = move;
  const arrived = { line, component, ...to, quantity, amounts };
  return accept({ parts: withPart(others, arrived), movement: { line, component, from, to, quantity, amounts } });
}

/** Units that are at the same place are one part. */
function withPart(parts: readonly Part[], part: Part): readonly Part[] {
  const same = parts.find((one) => isAt(one, part, part));
  if (!same) return [...parts, part];
  const sum = { ...same, quantity: same.quantity + part.quantity, amounts: add(same.amounts, part.amounts) };
  return parts.map((one) => (one === same ? sum : one));
}

/** All of the moves, one after the other, or none. */
export function moveAll(
  parts: readonly Part[],
  moves: readonly UnitMove[],
): Result<{ readonly parts: readonly Part[]; readonly movements: readonly UnitMovement[] }, MoveRejection> {
  const movements: UnitMovement[] = [];
  let now = parts;
  for (const move of moves) {
    const moved = moveUnits(now, move);
    if (!moved.ok) return moved;
    now = moved.value.parts;
    movements.push(moved.value.movement);
  }
  return accept({ parts: now, movements });
}
