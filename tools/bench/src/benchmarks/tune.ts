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

/** Tries each candidate for so long and keeps the fastest; the others are closed. */
export async function tune<C extends Contender>(
  candidates: readonly Candidate<C>[],
  load: { readonly callers: number; readonly seconds: number; readonly lines: () => readonly Line[] },
): Promise<Tuned<C>> {
  const tried: { readonly label: string; readonly contender: C; readonly perSecond: number }[] = [];
  for (const { label, make } of candidates) {
    const contender = make();
    const { perSecond } = await runClosedLoop({ ...load, call: () => contender.reserve(load.lines()) });
    tried.push({ label, contender, perSecond });
  }
  const best = tried.reduce((fastest, one) => (one.perSecond > fastest.perSecond ? one : fastest));
  const others = tried.filter((one) => one !== best);
  await Promise.all(others.map(({ contender }) => contender.close()));
  return { label: best.label, contender: best.contender, tried: tried.map(({ contender }) => contender) };
}
