import { type ProblemError, problem } from '@onepool/platform-problem';
import type { Caller } from './caller.ts';

/** Bounds how many requests of one principal are being answered at once, so that none can take every place. */
export class InFlightLimit {
  readonly #countByCaller = new Map<string, number>();
  readonly #perCallerMax: number;

  constructor(perCallerMax: number) {
    this.#perCallerMax = perCallerMax;
    this.full = problem('limit.rate', { detail: `At most ${perCallerMax} requests at once.` });
  }

  /** What a caller is told that has no place left: made once, since who asks too often is not worth an error each. */
  readonly full: ProblemError;

  /** Takes a place; the result gives it back and may be called once. Null when the caller has no place left: {@link full}. */
  enter({ id }: Pick<Caller, 'id'>): (() => void) | null {
    const count = this.#countByCaller.get(id) ?? 0;
    if (count >= this.#perCallerMax) return null;
    this.#countByCaller.set(id, count + 1);
    return () => {
      const left = (this.#countByCaller.get(id) ?? 1) - 1;
      if (left > 0) this.#countByCaller.set(id, left);
      else this.#countByCaller.delete(id);
    };
  }
}
