/**
 * SKU codes and the keys that stand for them. Pairs never change and SKUs are never deleted, so they are remembered, the
 * newest of them; what is not known is asked, by requests in one query per tick, by a feed for a piece of it at once.
 */
import DataLoader from 'dataloader';
import { LRUCache } from 'lru-cache';
import type { SkuKey } from '@onepool/stock-domain';
import type pg from 'pg';

type Queryable = Pick<pg.Pool, 'query'>;

/** About 100 bytes each, twice. */
const REMEMBERED_MAX = 500_000;
const LOOKUP_BATCH_MAX = 1_000;

export class CodeBook {
  readonly #keys: LRUCache<string, SkuKey>;
  readonly #codes = new Map<SkuKey, string>();
  readonly #byCode: DataLoader<string, SkuKey | null>;

  readonly #pool: Queryable;

  constructor(pool: Queryable, rememberedMax = REMEMBERED_MAX) {
    this.#pool = pool;
    // Bounded by size and not by entries, for which the cache would make room at once: a feed that names ten SKUs needs ten places.
    this.#keys = new LRUCache({
      maxSize: rememberedMax,
      sizeCalculation: () => 1,
      dispose: (key) => this.#codes.delete(key),
    });
    const options = { cache: false, maxBatchSize: LOOKUP_BATCH_MAX };
    this.#byCode = new DataLoader((codes) => this.#lookUp(codes), options);
  }

  /** Keys of the codes, null where there is no such SKU. */
  async keysOf(codes: readonly string[]): Promise<readonly (SkuKey | null)[]> {
    const known = codes.map((code) => this.#keys.get(code) ?? null);
    if (!known.includes(null)) return known;
    // A piece of a feed has its own query; a promise for each of its codes would cost more than that.
    if (codes.length > LOOKUP_BATCH_MAX) return this.#keysOfMany(codes, known);
    return Promise.all(codes.map(async (code) => this.#keys.get(code) ?? this.#byCode.load(code)));
  }

  /** Makes sure that `codeOf` knows these keys. */
  async learn(keys: Iterable<SkuKey>, client: Queryable = this.#pool): Promise<void> {
    const unknown = [...keys].filter((key) => !this.#codes.has(key));
    if (unknown.length === 0) return;
    const { rows } = await client.query<{ sku_key: number; code: string }>({
      name: 'sku-codes',
      text: 'SELECT sku_key, code FROM sku_code WHERE sku_key = ANY($1::int[])',
      values: [unknown],
    });
    for (const { sku_key, code } of rows) this.#remember(code, sku_key);
  }

  knows(key: SkuKey): boolean {
    return this.#codes.has(key);
  }

  codeOf(key: SkuKey): string {
    const code = this.#codes.get(key);
    if (code === undefined) throw new Error(`Broken invariant: SKU key ${key} was never learnt`);
    return code;
  }

  async #keysOfMany(codes: readonly string[], known: readonly (SkuKey | null)[]): Promise<readonly (SkuKey | null)[]> {
    const unknown = [...new Set(codes.filter((_, index) => known[index] === null))];
    const found = await this.#lookUp(unknown);
    const keys = new Map(unknown.map((code, index) => [code, found[index] ?? null]));
    return codes.map((code, index) => known[index] ?? keys.get(code) ?? null);
  }

  async #lookUp(codes: readonly string[]): Promise<(SkuKey | null)[]> {
    const { rows } = await this.#pool.query<{ sku_key: number; code: string }>({
      name: 'sku-keys',
      text: 'SELECT sku_key, code FROM sku_code WHERE code = ANY($1::text[])',
      values: [codes],
    });
    const found = new Map(rows.map(({ sku_key, code }) => [code, sku_key]));
    for (const [code, key] of found) this.#remember(code, key);
    return codes.map((code) => found.get(code) ?? null);
  }

  #remember(code: string, key: SkuKey): void {
    this.#keys.set(code, key);
    this.#codes.set(key, code);
  }
}
