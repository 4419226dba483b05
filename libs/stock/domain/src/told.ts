/**
 * One physical event told by several: a hand-over that the till, the WMS and the shop each report is one hand-over. Kept for each
 * fulfilment or return line and SKU. Every teller has a running total, and only by what the largest of them grows does anything
 * happen: once 1 and then 1 more are two units, and 1 told by three is one.
 *
 * Known limit: if a shipment was undone and shipped again, a teller that was silent about the first time is not heard about the
 * second either. Totals that stay apart are told as an exception.
 */
export interface Told {
  /** Units that each teller has told so far. */
  readonly totals: ReadonlyMap<string, number>;
  /** Units that have taken effect, less those undone: of a fulfilment, what is fulfilled. */
  readonly effect: number;
  /** Units told beyond the cap: they moved as if nothing had been named. */
  readonly plain: number;
  /** Units that had taken effect and were undone. */
  readonly undone: number;
}

export const NOTHING_TOLD: Told = { totals: new Map(), effect: 0, plain: 0, undone: 0 };

export interface Telling {
  readonly told: Told;
  /** Units by which the effect grows. */
  readonly effect: number;
  /** Units beyond the cap, which nobody has told before. */
  readonly plain: number;
}

/**
 * `teller` tells `quantity` units more. `cap` is what the effect may come to, as things stand: of a fulfilment its open and its
 * fulfilled units. A cap that grows later leaves alone what was beyond it: those units have moved.
 */
export function tell(told: Told, teller: string, quantity: number, cap: number): Telling {
  demand(Number.isSafeInteger(quantity) && quantity >= 0, 'units told are integers of at least 0');
  const total = (told.totals.get(teller) ?? 0) + quantity;
  const unheard = Math.max(0, total - largestTotal(told));
  const effect = Math.min(unheard, Math.max(0, cap - told.effect));
  const plain = unheard - effect;
  const totals = new Map(told.totals).set(teller, total);
  return {
    told: { ...told, totals, effect: told.effect + effect, plain: told.plain + plain },
    effect,
    plain,
  };
}

/** Units that had taken effect are back. What is told from now on may take effect again by as many. */
export function undoTold(told: Told, quantity: number): Told {
  demand(quantity >= 0 && quantity <= told.effect, 'undone units must have taken effect');
  return { ...told, effect: told.effect - quantity, undone: told.undone + quantity };
}

/** Nothing that was told is lost: it took effect, and may have been undone since, or it was beyond the cap. */
export const largestTotal = ({ effect, plain, undone }: Told): number => effect + plain + undone;

function demand(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(`Broken invariant: ${message}`);
}
