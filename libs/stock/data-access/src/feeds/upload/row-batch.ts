/**
 * Rows of a feed between reading and storing, column by column: a feed has millions of them, and an object for each costs
 * more than all that is done with it.
 */
import type { FeedRefusalCode } from '@onepool/contracts';
import type { CountedState } from '@onepool/stock-domain';

/** A row whose values are sound; whether its codes exist is asked later. */
export interface FeedRow {
  readonly line: number;
  readonly sku: string;
  readonly node: string;
  /** Null for a row that is refused but names its SKU and node: it is not absent. */
  readonly quantity: number | null;
  readonly recordId: string | null;
  /** Of which it counts units; null: all of them. */
  readonly state: CountedState | null;
  /** Milliseconds; when it was counted or occurred. */
  readonly at: number;
}

export interface RowFault {
  readonly line: number;
  readonly code: FeedRefusalCode;
  readonly message: string;
}

/** Each code once, and numbers for them. */
class Codes {
  readonly list: string[] = [];
  readonly #places = new Map<string, number>();

  find(code: string): number | undefined {
    return this.#places.get(code);
  }

  add(code: string): number {
    const place = this.list.length;
    this.list.push(code);
    this.#places.set(code, place);
    return place;
  }

  clear(): void {
    this.list.length = 0;
    this.#places.clear();
  }
}

const NO_QUANTITY = -(2 ** 31);

/** Of row `i`: its line, the places of its SKU and node among the codes, its quantity and its time. */
const columnsFor = (rows: number) => ({
  line: new Float64Array(rows),
  sku: new Int32Array(rows),
  node: new Int32Array(rows),
  quantity: new Int32Array(rows),
  at: new Float64Array(rows),
});

/** May be filled again once it is cleared. */
export class RowBatch {
  readonly skus = new Codes();
  readonly nodes = new Codes();
  readonly faults: RowFault[] = [];
  /** What rows below 0 told that count 0, by their line. */
  readonly negatives = new Map<number, number>();
  /** Rows read, good or bad. */
  received = 0;
  /** Lines of those that might have named any row: nobody can read which. */
  unreadable = 0;
  /** Rows that name a SKU and a node. */
  rows = 0;
  /** How often it was cleared: places among the codes mean nothing afterwards. */
  clearings = 0;
  /** Only few feeds tell any. */
  readonly #recordIds = new Map<number, string>();
  readonly #states = new Map<number, CountedState>();
  #columns: ReturnType<typeof columnsFor>;
  #capacity: number;

  constructor(rowsExpected: number) {
    this.#capacity = rowsExpected;
    this.#columns = columnsFor(rowsExpected);
  }

  add({ line, sku, node, quantity, at, recordId, state }: FeedRow): void {
    const { skus, nodes } = this;
    if (recordId !== null) this.#recordIds.set(this.rows, recordId);
    if (state !== null) this.#states.set(this.rows, state);
    this.push(line, skus.find(sku) ?? skus.add(sku), nodes.find(node) ?? nodes.add(node), quantity, at);
  }

  push(line: number, skuPlace: number, nodePlace: number, quantity: number | null, at: number): void {
    const row = this.rows;
    if (row === this.#capacity) this.#grow();
    const columns = this.#columns;
    columns.line[row] = line;
    columns.sku[row] = skuPlace;
    columns.node[row] = nodePlace;
    columns.quantity[row] = quantity ?? NO_QUANTITY;
    columns.at[row] = at;
    this.rows = row + 1;
  }

  lineOf(row: number): number {
    return this.#columns.line[row] ?? 0;
  }

  /** The place of its code among `skus`. */
  skuOf(row: number): number {
    return this.#columns.sku[row] ?? -1;
  }

  /** The place of its code among `nodes`. */
  nodeOf(row: number): number {
    return this.#columns.node[row] ?? -1;
  }

  quantityOf(row: number): number | null {
    const quantity = this.#columns.quantity[row] ?? NO_QUANTITY;
    return quantity === NO_QUANTITY ? null : quantity;
  }

  timeOf(row: number): number {
    return this.#columns.at[row] ?? 0;
  }

  recordIdOf(row: number): string | null {
    return this.#recordIds.get(row) ?? null;
  }

  stateOf(row: number): CountedState | null {
    return this.#states.get(row) ?? null;
  }

  /** Whether some row counts units of one state. */
  get hasStates(): boolean {
    return this.#states.size > 0;
  }

  clear(): void {
    this.skus.clear();
    this.nodes.clear();
    this.#recordIds.clear();
    this.#states.clear();
    this.faults.length = 0;
    this.negatives.clear();
    this.received = 0;
    this.unreadable = 0;
    this.rows = 0;
    this.clearings += 1;
  }

  #grow(): void {
    const { line, sku, node, quantity, at } = this.#columns;
    this.#capacity *= 2;
    this.#columns = columnsFor(this.#capacity);
    this.#columns.line.set(line);
    this.#columns.sku.set(sku);
    this.#columns.node.set(node);
    this.#columns.quantity.set(quantity);
    this.#columns.at.set(at);
  }
}
