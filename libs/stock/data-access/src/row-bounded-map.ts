/**
 * A map that is bounded by its entries and by the stock rows that these hold, since a SKU is in as many rows as there are
 * nodes that stock it. What has been in it longest goes first.
 */
export class RowBoundedMap<Key, Value> {
  readonly #entries = new Map<Key, Value>();
  #rows = 0;

  readonly #max: { readonly entries: number; readonly rows: number };
  readonly #rowsOf: (value: Value) => number;

  constructor(max: { readonly entries: number; readonly rows: number }, rowsOf: (value: Value) => number) {
    this.#max = max;
    this.#rowsOf = rowsOf;
  }

  get(key: Key): Value | undefined {
    return this.#entries.get(key);
  }

  /** An entry that is replaced keeps its place. */
  set(key: Key, value: Value): void {
    this.#rows += this.#rowsOf(value) - this.#rowsAt(key);
    this.#entries.set(key, value);
    while (this.#entries.size > this.#max.entries || this.#rows > this.#max.rows) {
      const oldest = this.#entries.keys().next();
      if (oldest.done) return;
      this.delete(oldest.value);
    }
  }

  delete(key: Key): void {
    this.#rows -= this.#rowsAt(key);
    this.#entries.delete(key);
  }

  clear(): void {
    this.#entries.clear();
    this.#rows = 0;
  }

  #rowsAt(key: Key): number {
    const value = this.#entries.get(key);
    return value === undefined ? 0 : this.#rowsOf(value);
  }
}
