/** Keys of the SKU codes that a feed names, remembered up to a bound while it is received. */
import type { SkuKey } from '@onepool/stock-domain';
import type pg from 'pg';

/** About 20 MB. A feed in SKU order never needs more; one in random order over more SKUs asks again. */
const REMEMBERED_MAX = 200_000;

export class CodeBook {
  readonly #keys = new Map<string, SkuKey>();

  /** Makes sure that those of the codes which exist are known until the next call. */
  async learn(client: Pick<pg.ClientBase, 'query'>, codes: Iterable<string>): Promise<void> {
    const distinct = new Set(codes);
    const unknown = [...distinct].filter((code) => !this.#keys.has(code));
    if (unknown.length === 0) return;
    if (this.#keys.size + unknown.length > REMEMBERED_MAX) {
      this.#keys.clear();
      unknown.splice(0, unknown.length, ...distinct);
    }
    const { rows } = await client.query<{ sku_key: number; code: string }>({
      name: 'sku-keys',
      text: 'SELECT sku_key, code FROM sku WHERE code = ANY($1::text[])',
      values: [unknown],
    });
    for (const { sku_key, code } of rows) this.#keys.set(code, sku_key);
  }

  keyOf(code: string): SkuKey | undefined {
    return this.#keys.get(code);
  }
}
