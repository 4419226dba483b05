/**
 * Rows of a feed between reading and storing, column by column: a feed has millions of them, and an object for each costs
 * more than all that is done with it.
 */
import type { FeedRefusalCode } from '@onepool/contracts';

/** A row whose values are sound; whether its codes exist is asked later. */
export interface FeedRow {
  readonly line: number;
  readonly sku: string;
  readonly node: string;
  /** Null for a row that is refused but names its SKU and node: it is not absent. */
  readonly quantity: number | null;
  readonly recordId: string | null;
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
}

export class RowBatch {
  readonly skus = new Codes();
  readonly nodes = new Codes();
  /** Of row `i`: its line, the places of its SKU and node among the codes, and its values. */
  readonly lines: number[] = [];
  readonly skuPlaces: number[] = [];
  readonly nodePlaces: number[] = [];
  readonly quantities: (number | null)[] = [];
  readonly times: number[] = [];
  readonly recordIds: (string | null)[] = [];
  readonly faults: RowFault[] = [];
  /** Rows read, good or bad. */
  received = 0;

  add({ line, sku, node, quantity, at, recordId }: FeedRow): void {
    const { skus, nodes } = this;
    this.push(line, skus.find(sku) ?? skus.add(sku), nodes.find(node) ?? nodes.add(node), quantity, at, recordId);
  }

  push(
    line: number,
    skuPlace: number,
    nodePlace: number,
    quantity: number | null,
    at: number,
    recordId: string | null,
  ): void {
    this.lines.push(line);
    this.skuPlaces.push(skuPlace);
    this.nodePlaces.push(nodePlace);
    this.quantities.push(quantity);
    this.times.push(at);
    this.recordIds.push(recordId);
  }
}
