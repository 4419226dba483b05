/**
 * Keys of sources: whoever tells of stock, by name, or by itself under the empty name. A source belongs to the principal that tells
 * under its name, so that nobody's counts or record ids can be mistaken for another's.
 */
import DataLoader from 'dataloader';
import { LRUCache } from 'lru-cache';
import { commitPoint, committing } from '@onepool/platform-failpoints';
import { STAGES, type Stage } from '@onepool/stock-domain';
import type pg from 'pg';

export interface SourceName {
  readonly principal: string;
  readonly name: string;
}

export type SourceKey = number;

/** What the engine does by itself. */
export const THE_ENGINE_SOURCE: SourceKey = 0;

const MAKE = commitPoint('stock.sources');
const REMEMBERED_MAX = 20_000;
const keyOf = ({ principal, name }: SourceName): string => `${principal}\u0000${name}`;

export class SourceBook {
  readonly #keys = new LRUCache<string, SourceKey>({ max: REMEMBERED_MAX });
  readonly #loader: DataLoader<SourceName, SourceKey, string>;

  constructor(pool: pg.Pool) {
    this.#loader = new DataLoader((names) => findOrMake(pool, names), { cache: false, cacheKeyFn: keyOf });
  }

  /** Made when it is asked for first. */
  async keyOf(source: SourceName): Promise<SourceKey> {
    const known = this.#keys.get(keyOf(source));
    if (known !== undefined) return known;
    const key = await this.#loader.load(source);
    this.#keys.set(keyOf(source), key);
    return key;
  }
}

/** Made in a commit of their own, as gates are: nothing that is locked waits for them. */
async function findOrMake(pool: pg.Pool, names: readonly SourceName[]): Promise<SourceKey[]> {
  const values = [names.map(({ principal }) => principal), names.map(({ name }) => name)];
  const find = () =>
    pool.query<{ place: number; source_key: SourceKey }>({
      name: 'sources',
      text: `SELECT k.place::int AS place, s.source_key
               FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS k (principal, name, place) JOIN source s USING (principal, name)`,
      values,
    });
  let { rows } = await find();
  if (rows.length < names.length) {
    const insert = `
      INSERT INTO source (principal, name) SELECT DISTINCT * FROM unnest($1::text[], $2::text[]) ORDER BY 1, 2
      ON CONFLICT DO NOTHING`;
    await committing(MAKE, () => pool.query(insert, values));
    ({ rows } = await find());
  }
  const found = new Map(rows.map(({ place, source_key }) => [place - 1, source_key]));
  return names.map((_, place) => found.get(place) ?? THE_ENGINE_SOURCE);
}

/** A stage's place, counted from 1, is its code; 0 stands for what is counted until it is gone. */
export const stageCode = (stage: Stage | null): number => (stage === null ? 0 : STAGES.indexOf(stage) + 1);
export const stageOf = (code: number): Stage | null => STAGES[code - 1] ?? null;
