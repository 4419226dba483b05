/** How what sources tell is read: their owners say so. */
import { commitPoint, committing } from '@onepool/platform-failpoints';
import type { Source, SourceSettings } from '@onepool/contracts';
import { accept } from '@onepool/stock-domain';
import type pg from 'pg';
import { type Answer, refuse } from '../requests/refusal.ts';
import { reservedName } from '../requests/resolve.ts';
import { type SourceBook, stageCode, stageOf } from './source-book.ts';

const SET = commitPoint('stock.source_settings');

export class SourceSettingsStore {
  readonly #pool: pg.Pool;
  readonly #book: SourceBook;

  constructor(pool: pg.Pool, book: SourceBook) {
    this.#pool = pool;
    this.#book = book;
  }

  /** Those of a principal, by name. */
  async list(principal: string): Promise<Source[]> {
    const { rows } = await this.#pool.query<{ name: string; deducts_at: number }>(
      `SELECT name, deducts_at FROM source WHERE principal = $1 AND name <> '' ORDER BY name`,
      [principal],
    );
    return rows.map(({ name, deducts_at }) => ({ name, deductsAt: stageOf(deducts_at) ?? 'accepted' }));
  }

  async set(principal: string, name: string, settings: SourceSettings): Promise<Answer<Source>> {
    const reserved = reservedName(name);
    if (reserved) return refuse(reserved.code, reserved.details);
    const key = await this.#book.keyOf({ principal, name });
    const values = [key, stageCode(settings.deductsAt)];
    await committing(SET, () => this.#pool.query('UPDATE source SET deducts_at = $2 WHERE source_key = $1', values));
    return accept({ name, ...settings });
  }
}
