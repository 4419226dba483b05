import type { Pair } from './order-desk.ts';

/** Pairs that nobody is swapping; which is next is random. */
export class FreePairs {
  readonly #free: Pair[];
  readonly #random: (below: number) => number;

  constructor(pairs: readonly Pair[], random: (below: number) => number) {
    this.#free = [...pairs];
    this.#random = random;
  }

  /** @throws when fewer are free, for then callers would wait for each other. */
  take(count: number): readonly Pair[] {
    return Array.from({ length: count }, () => {
      const last = this.#free.pop();
      if (last === undefined) throw new Error('all pairs are being swapped');
      const place = this.#random(this.#free.length + 1);
      const taken = this.#free[place] ?? last;
      if (taken !== last) this.#free[place] = last;
      return taken;
    });
  }

  giveBack(pairs: readonly Pair[]): void {
    this.#free.push(...pairs);
  }

  get all(): readonly Pair[] {
    return this.#free;
  }
}
