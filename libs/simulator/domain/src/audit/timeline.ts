/** Sums over effects that may, or must, have happened by an instant: sorted times with running totals. */
export class Timeline {
  readonly #times: Float64Array;
  readonly #totals: Float64Array;

  constructor(entries: readonly { readonly atMs: number; readonly quantity: number }[]) {
    const sorted = [...entries].sort((a, b) => a.atMs - b.atMs);
    this.#times = Float64Array.from(sorted, ({ atMs }) => atMs);
    this.#totals = new Float64Array(sorted.length + 1);
    sorted.forEach(({ quantity }, index) => {
      this.#totals[index + 1] = (this.#totals[index] ?? 0) + quantity;
    });
  }

  /** Units of entries strictly before the instant. */
  before(atMs: number): number {
    return this.#totals[this.#count((time) => time < atMs)] ?? 0;
  }

  /** Units of entries at or before the instant. */
  until(atMs: number): number {
    return this.#totals[this.#count((time) => time <= atMs)] ?? 0;
  }

  #count(isIn: (time: number) => boolean): number {
    let low = 0;
    let high = this.#times.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (isIn(this.#times[middle] ?? Infinity)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
