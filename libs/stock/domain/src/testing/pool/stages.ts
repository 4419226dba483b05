/** How many open units of a row were past a stage, or there and not for sale, and when. */
import { past } from './piles.ts';
import type { Pool } from './pool.ts';

/** Instead of a stage: what is damaged, and what is kept for inspection. */
export const UNSOLD = { damaged: -1, inspected: -2 } as const;

/** What has become of the units past each stage, by SKU, node and stage. */
export class Stages {
  readonly #now = new Map<string, number>();
  readonly #log: { readonly row: string; readonly at: number; readonly units: number }[] = [];

  /** A command has changed them, at the time that it tells. */
  note(pool: Pool): void {
    const { promises, at } = pool;
    const now = new Map<string, number>();
    for (const { sku, node, damaged, inspected } of pool.shelves()) {
      if (damaged > 0) now.set(`${sku}/${node}/${UNSOLD.damaged}`, damaged);
      if (inspected > 0) now.set(`${sku}/${node}/${UNSOLD.inspected}`, inspected);
    }
    for (const { piles } of promises.values())
      for (const pile of piles) {
        if ((pile.reached.at(-1) ?? 0) === 0) continue;
        for (const stage of [1, 2, 3]) {
          const row = `${pile.sku}/${pile.node ?? 0}/${stage}`;
          now.set(row, (now.get(row) ?? 0) + past(pile, stage));
        }
      }
    for (const row of new Set([...now.keys(), ...this.#now.keys()])) {
      const units = (now.get(row) ?? 0) - (this.#now.get(row) ?? 0);
      if (units !== 0) this.#log.push({ row, at, units });
      this.#now.set(row, now.get(row) ?? 0);
    }
  }

  /** Units that were past it by then. */
  by(sku: number, node: number, stage: number, time: number): number {
    const row = `${sku}/${node}/${stage}`;
    return this.#log.filter((one) => one.row === row && one.at <= time).reduce((sum, { units }) => sum + units, 0);
  }
}
