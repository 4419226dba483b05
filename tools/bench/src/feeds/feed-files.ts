/** The CSVs of `feed.*`, and COPY of the same bytes as their baseline. */
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { from as copyFrom } from 'pg-copy-streams';
import { skuCode } from '../contenders/contender.ts';
import type { Surroundings } from '../contenders/contender.ts';
import { withClient } from '../setting/database.ts';

const PIECE_ROWS = 5_000;

export interface CountsShape {
  readonly skus: number;
  readonly nodes: number;
}

/** What a node counts of each SKU, by row: SKU by SKU, node by node. */
export class Counts {
  readonly #units: Int32Array;

  readonly #shape: CountsShape;

  constructor(shape: CountsShape, unitsPerRow: number) {
    this.#shape = shape;
    this.#units = new Int32Array(shape.skus * shape.nodes).fill(unitsPerRow);
  }

  get rows(): number {
    return this.#units.length;
  }

  get total(): number {
    return this.#units.reduce((sum, units) => sum + units, 0);
  }

  /** One unit more in every `each`th row, from row `offset` on. Answers how many rows that were. */
  change(each: number, offset: number): number {
    let changed = 0;
    for (let row = offset % each; row < this.#units.length; row += each) {
      this.#units[row] = (this.#units[row] ?? 0) + 1;
      changed += 1;
    }
    return changed;
  }

  /** Made before the clock starts, in pieces, so that making it costs neither side anything. */
  csv(): readonly Buffer[] {
    return this.#csv(0, 1, (row) => this.#units[row] ?? 0);
  }

  /** As a delta: what `change` did with the same arguments. */
  changesCsv(each: number, offset: number): readonly Buffer[] {
    return this.#csv(offset % each, each, () => 1);
  }

  #csv(from: number, each: number, quantityOf: (row: number) => number): readonly Buffer[] {
    const pieces: Buffer[] = [Buffer.from('sku,node,quantity\n')];
    let lines: string[] = [];
    for (let row = from; row < this.#units.length; row += each) {
      const sku = skuCode(1 + Math.floor(row / this.#shape.nodes));
      lines.push(`${sku},n${1 + (row % this.#shape.nodes)},${quantityOf(row)}\n`);
      if (lines.length < PIECE_ROWS) continue;
      pieces.push(Buffer.from(lines.join('')));
      lines = [];
    }
    return lines.length === 0 ? pieces : [...pieces, Buffer.from(lines.join(''))];
  }
}

/** Seconds that COPY of the CSV into an empty, logged, indexed table takes. */
export function timeCopy(database: Surroundings, csv: readonly Buffer[]): Promise<number> {
  return withClient(database, async (client) => {
    await client.query(
      'CREATE TABLE bench_copy (sku text NOT NULL, node text NOT NULL, quantity bigint NOT NULL, PRIMARY KEY (sku, node))',
    );
    const begun = performance.now();
    await pipeline(Readable.from(csv), client.query(copyFrom('COPY bench_copy FROM STDIN (FORMAT csv, HEADER)')));
    const seconds = (performance.now() - begun) / 1_000;
    await client.query('DROP TABLE bench_copy');
    return seconds;
  });
}
