/**
 * Reads the lines that nearly all CSVs of counts consist of, like `A-100,store-7,12`, straight from their bytes. Whatever
 * is less plain than that, quoted, padded, with other columns or a fault, is left to the row reader.
 */
import { FEED_UNITS_MAX } from '@onepool/contracts';
import { LINE_FEED } from './line-splitter.ts';
import type { RowBatch } from './row-batch.ts';

const COMMA = 0x2c;
const CARRIAGE_RETURN = 0x0d;
const QUOTE = 0x22;
const ZERO = 0x30;
/** Printable ASCII, which is in Unicode's normal form as it stands. A space around a code makes it none. */
const PLAIN = { first: 0x20, last: 0x7e } as const;
const DIGITS_MAX = 10;

export interface PlainColumns {
  readonly columns: number;
  /** Where they stand; `node` is −1 where the feed speaks of one node only. */
  readonly sku: number;
  readonly node: number;
  readonly quantity: number;
}

/** What rows lean on beside their line. */
export interface PlainContext {
  /** The feed's one node, where the lines name none. */
  readonly node: string | undefined;
  /** Whether a row may tell no units. */
  readonly allowsZero: boolean;
  /** Milliseconds; when rows were counted. */
  readonly at: number;
  /** Whether a text is a code as it stands. */
  readonly isCode: (code: string) => boolean;
}

export class PlainLines {
  /** Where the cells of the line begin, and one past its end. */
  readonly #starts: Int32Array;
  /** The SKU of the row before, and where it was put: counts mostly tell one SKU node by node. */
  #batch: RowBatch | null = null;
  #clearings = 0;
  #skuBytes: Buffer = Buffer.alloc(0);
  #skuPlace = -1;

  readonly #layout: PlainColumns;
  readonly #context: PlainContext;

  constructor(layout: PlainColumns, context: PlainContext) {
    this.#layout = layout;
    this.#context = context;
    this.#starts = new Int32Array(layout.columns + 1);
  }

  /** Adds the line that begins at `from`; answers where it ends, or −1 if it isn't plain and was left alone. */
  read(bytes: Buffer, from: number, line: number, batch: RowBatch): number {
    if (batch !== this.#batch || batch.clearings !== this.#clearings) {
      this.#batch = batch;
      this.#clearings = batch.clearings;
      this.#skuPlace = -1;
    }
    const end = this.#cut(bytes, from);
    if (end < 0) return -1;
    const { sku, node, quantity } = this.#layout;
    const units = this.#units(bytes, quantity);
    if (units < 0) return -1;
    const nodePlace = this.#nodePlace(bytes, node, batch);
    if (nodePlace < 0) return -1;
    const skuPlace = this.#placeOfSku(bytes, sku, batch);
    if (skuPlace < 0) return -1;
    batch.push(line, skuPlace, nodePlace, units, this.#context.at);
    return end;
  }

  #cut(bytes: Buffer, from: number): number {
    const starts = this.#starts;
    const { columns } = this.#layout;
    let cells = 0;
    let at = from;
    starts[0] = from;
    for (; at < bytes.length; at += 1) {
      const byte = bytes[at] ?? 0;
      if (byte === COMMA) {
        cells += 1;
        if (cells === columns) return -1;
        starts[cells] = at + 1;
      } else if (byte < PLAIN.first || byte > PLAIN.last || byte === QUOTE) break;
    }
    const isEnd = at === bytes.length || bytes[at] === LINE_FEED;
    const isCrLf = bytes[at] === CARRIAGE_RETURN && (at + 1 === bytes.length || bytes[at + 1] === LINE_FEED);
    if (cells + 1 !== columns || !(isEnd || isCrLf)) return -1;
    starts[columns] = at + 1;
    return isCrLf ? at + 1 : at;
  }

  #start(cell: number): number {
    return this.#starts[cell] ?? 0;
  }

  #end(cell: number): number {
    return (this.#starts[cell + 1] ?? 0) - 1;
  }

  #units(bytes: Buffer, cell: number): number {
    const [start, end] = [this.#start(cell), this.#end(cell)];
    if (end <= start || end - start > DIGITS_MAX) return -1;
    let units = 0;
    for (let at = start; at < end; at += 1) {
      const digit = (bytes[at] ?? 0) - ZERO;
      if (digit < 0 || digit > 9) return -1;
      units = units * 10 + digit;
    }
    return units > FEED_UNITS_MAX || (units === 0 && !this.#context.allowsZero) ? -1 : units;
  }

  #nodePlace(bytes: Buffer, cell: number, { nodes }: RowBatch): number {
    const { node: only, isCode } = this.#context;
    const code = cell < 0 ? only : bytes.toString('latin1', this.#start(cell), this.#end(cell));
    if (code === undefined || (only !== undefined && code !== only)) return -1;
    return nodes.find(code) ?? (isCode(code) ? nodes.add(code) : -1);
  }

  #placeOfSku(bytes: Buffer, cell: number, { skus }: RowBatch): number {
    const [start, end] = [this.#start(cell), this.#end(cell)];
    if (this.#skuPlace >= 0 && isSame(bytes, start, end, this.#skuBytes)) return this.#skuPlace;
    const code = bytes.toString('latin1', start, end);
    const place = skus.find(code) ?? (this.#context.isCode(code) ? skus.add(code) : -1);
    this.#skuPlace = place;
    this.#skuBytes = bytes.subarray(start, end);
    return place;
  }
}

function isSame(bytes: Buffer, start: number, end: number, other: Buffer): boolean {
  if (end - start !== other.length) return false;
  for (let at = start, place = 0; at < end; at += 1, place += 1) if (bytes[at] !== other[place]) return false;
  return true;
}
