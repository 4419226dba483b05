/** Tells rows in feeds. Whatever is to be told while a feed is under way goes into the next one. */
import { StockFeeds } from '@onepool/stock-data-access';
import type { Stage } from '@onepool/stock-domain';
import { feed, feedsOn, refusalsOf } from '../../feed-specs/feeding.ts';
import type { PoolFixture } from '../../testing/pool-fixture.ts';

/** By the stage at which its source deducts, a count of availability; each has a source of its own. */
export type FeedKind = 'reset' | 'delta' | Stage;

/** The shop that leaves out units from that stage on. */
export const shopOf = (stage: Stage): string => `shop-${stage}`;

export interface FeedLine {
  readonly sku: string;
  readonly node: string;
  readonly quantity: number;
  /** Of which a count speaks; all of them unless given. */
  readonly state?: 'damaged' | 'quality_control' | null;
  /** When it was counted, or has happened: now unless given. May lie ahead. */
  readonly at?: number;
}

interface Waiting {
  readonly lines: readonly FeedLine[];
  readonly told: (refused: boolean) => void;
  readonly failed: (error: unknown) => void;
}

export class FeedTeller {
  readonly #feeds: StockFeeds;
  readonly #waiting = new Map<FeedKind, Waiting[]>();
  #running: Promise<void> | null = null;
  #records = 0;

  constructor(pool: PoolFixture) {
    this.#feeds = feedsOn(pool);
  }

  /** Resolves when the lines have been applied or refused, and says whether any was refused. */
  tell(kind: FeedKind, lines: readonly FeedLine[]): Promise<boolean> {
    const told = new Promise<boolean>((resolve, reject) => {
      const waiting = this.#waiting.get(kind) ?? [];
      this.#waiting.set(kind, [...waiting, { lines, told: resolve, failed: reject }]);
    });
    this.#running ??= this.#run();
    return told;
  }

  async #run(): Promise<void> {
    await Promise.resolve();
    for (let [next] = this.#waiting; next; [next] = this.#waiting) {
      const [kind, all] = next;
      this.#waiting.delete(kind);
      try {
        const refused = await this.#send(
          kind,
          all.flatMap(({ lines }) => lines),
        );
        let line = 0;
        for (const { lines, told } of all) {
          const from = line;
          line += lines.length;
          told(refused.some((one) => one > from && one <= line));
        }
      } catch (error) {
        for (const { failed } of all) failed(error);
      }
    }
    this.#running = null;
  }

  /** The numbers of the lines that were refused, from 1. */
  async #send(kind: FeedKind, lines: readonly FeedLine[]): Promise<readonly number[]> {
    const rows = lines.map(({ at = Date.now(), sku, node, quantity, state = null }) => {
      const time = new Date(at).toISOString();
      const when =
        kind === 'delta' ? { occurredAt: time, recordId: `record-${this.#records++}` } : { capturedAt: time };
      return { sku, node, quantity, ...(state === null ? {} : { state }), ...when };
    });
    const { id, state } = await feed(
      this.#feeds,
      rows,
      kind === 'reset' || kind === 'delta'
        ? { mode: kind, source: 'wms' }
        : { mode: 'reset', measure: 'availability', source: shopOf(kind) },
    );
    if (state !== 'done') throw new Error(`feed ${id} is ${state}`);
    return (await refusalsOf(this.#feeds, id)).map(({ line }) => line);
  }

  close(): Promise<void> {
    return this.#feeds.close();
  }
}
