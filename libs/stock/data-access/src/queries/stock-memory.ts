/**
 * Supplies in memory for reads, at most 250 ms behind commit, in any replica.
 *
 * An entry is read from the database when it is first asked for. Every 50 ms the outbox is looked at: whatever SKU has
 * changed anywhere is forgotten, and what is left is thereby known to be true at that look. When looks fail or come too
 * late, memory is not used and reads go to the database. Holds that expire make no event, so an entry ends when the next
 * hold on its SKU does. What was being read while a look found changes is answered with, but not kept.
 *
 * Known limit: memory is bounded by the number of SKUs and of their rows; the SKU that was asked for longest ago goes first.
 */
import DataLoader from 'dataloader';
import { LRUCache } from 'lru-cache';
import { variant } from '@onepool/platform-failpoints';
import { OutboxTail, readFactKey } from '@onepool/platform-messaging';
import type { SellingRules, SkuKey } from '@onepool/stock-domain';
import type pg from 'pg';
import { EngineError } from '../engine/engine-error.ts';
import type { RulesSource } from '../catalogue/rules-source.ts';
import { type Snapshot, readSnapshots } from '../repository/snapshots.ts';

const LOOK_EVERY_MS = 50;
/** An entry is used for this long after the look that confirmed it began; the rest of 250 ms is for answering. */
const GOOD_FOR_MS = 200;
/** About 100 MB. */
const MEMORY_MAX = { entries: 50_000, rows: 1_000_000 };
const LOAD_BATCH_MAX = 1_000;
/** Whoever has waited for longer behind other reads is told to come again. */
const WAIT_MAX_MS = 2_000;

export interface StockMemoryOptions {
  /** Where supplies are read. */
  readonly pool: pg.Pool;
  /** Gives the one session that follows the outbox; apart from `pool`, so that reads cannot make memory go stale. */
  readonly session: pg.Pool;
  readonly schema: string;
  readonly rules: RulesSource;
  readonly onError?: (error: unknown) => void;
}

/** What is true of a SKU, and when it was. */
export interface Known {
  readonly snapshot: Snapshot | null;
  readonly asOf: number;
}

/** A SKU by its code and its key. */
export interface NamedSku {
  readonly code: string;
  readonly key: SkuKey;
}

interface Entry {
  readonly snapshot: Snapshot | null;
  /** Which read of the database found it. */
  readonly reading: number;
}

interface Look {
  /** Monotonic local time at which the look began. */
  readonly began: number;
  /** The database's clock at the look. */
  readonly asOf: number;
  readonly rules: SellingRules;
}

export class StockMemory {
  /** By SKU code. */
  readonly #entries = new LRUCache<string, Entry>({
    max: MEMORY_MAX.entries,
    maxSize: MEMORY_MAX.rows,
    sizeCalculation: ({ snapshot }) => Math.max(1, snapshot?.supply.rows.length ?? 0),
  });
  readonly #loader: DataLoader<NamedSku, Snapshot | null>;
  /** Of each read of the database under way: what looks have told to be changed meanwhile; null is everything. */
  readonly #loads = new Set<{ changed: Set<string> | null }>();
  /** Reads of the database so far. */
  #reading = 0;
  #lastLoad: Promise<void> = Promise.resolve();
  #look: Look | null = null;
  #running: Promise<void> | null = null;
  #stopped = false;

  readonly #options: StockMemoryOptions;

  constructor(options: StockMemoryOptions) {
    this.#options = options;
    this.#loader = new DataLoader((skus) => this.#load(skus), { cache: false, maxBatchSize: LOAD_BATCH_MAX });
  }

  start(): void {
    this.#running ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  /** The selling rules, no older than entries are. */
  async rules(): Promise<SellingRules> {
    return this.#fresh()?.rules ?? this.#options.rules.current();
  }

  /** SKUs in the order asked; null for one that never had stock. Each at least at `minVersion` if the database is. */
  async read(skus: readonly NamedSku[], minVersion: number): Promise<readonly Known[]> {
    const look = this.#fresh();
    if (!look) return Promise.all(skus.map((sku) => this.#ask(sku)));
    const now = look.asOf + (performance.now() - look.began);
    const least = variant('stock.memory_ignores_min_version') ? 0 : minVersion;
    const known = skus.map(({ code }) => {
      const entry = this.#entries.get(code)?.snapshot;
      const usable =
        entry !== undefined && (entry === null ? least === 0 : entry.version >= least && entry.expiresAt > now);
      return usable ? { snapshot: entry, asOf: Math.max(look.asOf, entry?.asOf ?? 0) } : null;
    });
    if (known.every((entry) => entry !== null)) return known;
    return Promise.all(skus.map(async (sku, index) => known[index] ?? this.#ask(sku)));
  }

  async #ask(sku: NamedSku): Promise<Known> {
    const snapshot = await this.#loader.load(sku);
    return { snapshot, asOf: snapshot?.asOf ?? Date.now() };
  }

  #fresh(): Look | null {
    const look = this.#look;
    return look && performance.now() - look.began < GOOD_FOR_MS ? look : null;
  }

  #load(skus: readonly NamedSku[]): Promise<(Snapshot | null)[]> {
    const asked = { reading: this.#reading, at: performance.now() };
    const loading = this.#lastLoad.then(() => this.#loadNow(skus, asked));
    this.#lastLoad = loading.then(
      () => undefined,
      () => undefined,
    );
    return loading;
  }

  /**
   * One read at a time. When all of memory is cold, reads side by side would keep the database and this process so busy
   * that looks come too late, and then memory is never used.
   */
  async #loadNow(
    skus: readonly NamedSku[],
    asked: { readonly reading: number; readonly at: number },
  ): Promise<(Snapshot | null)[]> {
    if (performance.now() - asked.at > WAIT_MAX_MS) throw new EngineError('service.unavailable');
    // What was read since this was asked, and is still known to be true, is as good as reading it again.
    const look = this.#fresh();
    const now = look === null ? Number.POSITIVE_INFINITY : look.asOf + (performance.now() - look.began);
    const known = skus.map(({ code }) => {
      const entry = this.#entries.get(code);
      const isGood = entry !== undefined && entry.reading > asked.reading && (entry.snapshot?.expiresAt ?? 0) > now;
      return isGood ? entry : null;
    });
    const missing = skus.filter((_, index) => known[index] === null);
    const found = missing.length === 0 ? new Map<SkuKey, Snapshot>() : await this.#readAndKeep(missing);
    return skus.map(({ key }, index) => known[index]?.snapshot ?? found.get(key) ?? null);
  }

  async #readAndKeep(skus: readonly NamedSku[]): Promise<ReadonlyMap<SkuKey, Snapshot>> {
    // Before the first look nobody would tell what changes.
    const load = { changed: this.#look === null ? null : new Set<string>() };
    const reading = ++this.#reading;
    this.#loads.add(load);
    try {
      const found = await readSnapshots(this.#options.pool, [...new Set(skus.map(({ key }) => key))]);
      // A change that was told meanwhile may be missing from what was read: answer with it, but do not keep it.
      for (const { code, key } of skus)
        if (load.changed?.has(code) === false) this.#entries.set(code, { snapshot: found.get(key) ?? null, reading });
      return found;
    } finally {
      this.#loads.delete(load);
    }
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      try {
        await this.#followSession();
      } catch (error) {
        this.#options.onError?.(error);
      }
      this.#forgetAll();
      if (!this.#stopped) await pause(LOOK_EVERY_MS * 4);
    }
  }

  /** Follows the outbox until the session breaks or the memory is stopped. */
  async #followSession(): Promise<void> {
    const client = await this.#options.session.connect();
    let broken = true;
    try {
      const tail = new OutboxTail(client, this.#options.schema);
      while (!this.#stopped) {
        await this.#lookOnce(tail);
        await pause(LOOK_EVERY_MS);
      }
      broken = false;
    } finally {
      client.release(broken);
    }
  }

  async #lookOnce(tail: OutboxTail): Promise<void> {
    const began = performance.now();
    const rules = await this.#options.rules.current();
    const told = await tail.poll();
    if (!told) return;
    for (const key of told.keys) {
      const [kind, code] = readFactKey(key);
      if (kind !== 'sku' || code === undefined) continue;
      this.#entries.delete(code);
      for (const { changed } of this.#loads) changed?.add(code);
    }
    this.#look = { began, asOf: told.asOf, rules };
  }

  #forgetAll(): void {
    this.#look = null;
    this.#entries.clear();
    for (const load of this.#loads) load.changed = null;
  }
}

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));
