/**
 * When a SKU whose promises could not be moved is worth another look. A first useless look costs nothing; from the
 * second on the SKU rests, for longer with each useless look, and more free units bring the next look forward. Without
 * it a short SKU that sells all day would have every one of its promises looked at several times a second.
 *
 * Known limit: every replica remembers for itself, so that so many replicas look so many times as often.
 */
import type { SkuKey } from '@onepool/stock-domain';

const SHORTEST_MS = 1_000;
const LONGEST_MS = 5_000;
/** What was not looked at for this long begins anew. */
const FORGOTTEN_AFTER_MS = 60_000;

interface Look {
  /** Looks in succession that moved nothing, this one included. */
  readonly useless: number;
  readonly at: number;
  readonly units: Units;
}

/** Of a SKU, at all nodes. */
interface Units {
  readonly shortfall: number;
  readonly available: number;
}

export class Rests {
  readonly #looks = new Map<SkuKey, Look>();

  /** Milliseconds until a look at the SKU is worth it; 0 for now, as when it is more or less short than at the last look. */
  waitMs(sku: SkuKey, { shortfall, available }: Units, now: number): number {
    const look = this.#looks.get(sku);
    if (!look || look.useless < 2 || look.units.shortfall !== shortfall) return 0;
    const pause = Math.min(LONGEST_MS, SHORTEST_MS * 2 ** (look.useless - 2));
    const hasNews = available > look.units.available;
    return Math.max(0, look.at + (hasNews ? SHORTEST_MS : pause) - now);
  }

  looked(sku: SkuKey, moved: boolean, units: Units, now: number): void {
    const before = this.#looks.get(sku);
    this.#looks.delete(sku);
    if (!moved) this.#looks.set(sku, { useless: (before?.useless ?? 0) + 1, at: now, units });
    // The Map is in the order of looks, so the oldest are first.
    for (const [oldest, { at }] of this.#looks) {
      if (at + FORGOTTEN_AFTER_MS > now) break;
      this.#looks.delete(oldest);
    }
  }

  /** Rules have changed: every SKU is worth a look. */
  end(): void {
    this.#looks.clear();
  }
}
