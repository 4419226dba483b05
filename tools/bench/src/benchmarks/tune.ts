/** Gives each baseline the connections with which it is fastest, before anything is counted. */
import type { Contender, Line } from '../contenders/contender.ts';
import { runClosedLoop } from '../measuring/closed-loop.ts';

export interface Candidate<C> {
  readonly label: string;
  readonly make: () => C;
}

export interface Tuned<C> {
  readonly label: string;
  readonly contender: C;
  /** Everyone who was tried: what they reserved is in the database too. */
  readonly tried: readonly C[];
}

interface Tried<C> {
  readonly label: string;
  readonly contender: C;
  readonly perSecond: number;
}

/** Tries each candidate for so long and keeps the fastest; the others are closed. */
export async function tune<C extends Contender>(
  candidates: readonly Candidate<C>[],
  load: { readonly callers: number; readonly seconds: number; readonly lines: () => readonly Line[] },
): Promise<Tuned<C>> {
  const tried: C[] = [];
  let best: Tried<C> | null = null;
  for (const { label, make } of candidates) {
    const contender = make();
    tried.push(contender);
    const { perSecond } = await runClosedLoop({ ...load, call: () => contender.reserve(load.lines()) });
    const now: Tried<C> = { label, contender, perSecond };
    const isFastest: boolean = best === null || perSecond > best.perSecond;
    const loser: Tried<C> | null = isFastest ? best : now;
    if (isFastest) best = now;
    // At once: all candidates together have more connections than a server gives.
    await loser?.contender.close();
  }
  if (best === null) throw new RangeError('there is nobody to choose from');
  return { label: best.label, contender: best.contender, tried };
}
