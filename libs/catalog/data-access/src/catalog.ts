/**
 * SKUs, nodes, channels and thresholds: changed by code, listed by code, each change told as a fact. Each call is one unit of
 * work, which locks the rows that it is about; one that changes who may sell what from where also steps the epoch.
 */
import type { Channel, ChannelChange, Node, NodeChange, Sku, SkuChange, Threshold } from '@onepool/contracts';
import { Slices } from '@onepool/platform-clock';
import { type Commit, commitPoint } from '@onepool/platform-failpoints';
import { factKey } from '@onepool/platform-messaging';
import { type UnitOfWork, type Work, poolOf } from '@onepool/platform-unit-of-work';
import type { DataSource } from 'typeorm';
import { changeRows, changesByCode } from './change-rows.ts';
import { CHANNELS, type ChangeFault, type Kind, NODES, SKUS } from './kinds.ts';
import { type CatalogPage, type Source, type Wanted, listPage, rowsOf, thresholdRows } from './pages.ts';
import { aggregateOf, setThresholds, thresholdKey } from './thresholds.ts';

/** Of what has faults nothing is applied. */
export type Applied =
  { readonly ok: true; readonly applied: number } | { readonly ok: false; readonly faults: readonly ChangeFault[] };

const COMMIT_SKUS = commitPoint('catalog.skus');
const COMMIT_RULES = commitPoint('catalog.rules');

export class Catalog {
  readonly #dataSource: DataSource;
  readonly #units: UnitOfWork;

  /** `units` work on the same data source. */
  constructor(dataSource: DataSource, units: UnitOfWork) {
    this.#dataSource = dataSource;
    this.#units = units;
  }

  async putSkus(changes: readonly SkuChange[]): Promise<Applied> {
    return this.#put(SKUS, changes);
  }

  async putNodes(changes: readonly NodeChange[]): Promise<Applied> {
    return this.#put(NODES, changes);
  }

  async putChannels(changes: readonly ChannelChange[]): Promise<Applied> {
    const named = changes.map(({ nodes }) => (nodes === undefined || nodes === 'all' ? [] : nodes));
    const known = await this.#keys('node', named.flat());
    const faults = named.flatMap((nodes, index): ChangeFault[] => {
      const value = nodes.find((code) => !known.has(code));
      return value === undefined ? [] : [{ index, member: 'nodes', ...unknown('node', value) }];
    });
    return faults.length > 0 ? { ok: false, faults } : this.#put(CHANNELS, changes);
  }

  /** Sets or, with quantity 0, removes rules; of several for the same the last one counts. */
  async putThresholds(thresholds: readonly Threshold[]): Promise<Applied> {
    const keys = {
      channel: await this.#keys('channel', named(thresholds, 'channel')),
      node: await this.#keys('node', named(thresholds, 'node')),
      sku: await this.#keys('sku', named(thresholds, 'sku')),
    };
    const faults = thresholds.flatMap((threshold, index): ChangeFault[] => {
      const member = THRESHOLD_CODES.find(
        (kind) => !(threshold[kind] === undefined || keys[kind].has(threshold[kind])),
      );
      return member === undefined ? [] : [{ index, member, ...unknown(member, threshold[member] ?? '') }];
    });
    if (faults.length > 0) return { ok: false, faults };
    const last = await lastByKey(thresholds);
    const locks = [...last.keys()].map(aggregateOf);
    await this.#changeRules(COMMIT_RULES, locks, (work) => setThresholds(work, [...last.values()], keys));
    return { ok: true, applied: last.size };
  }

  listSkus(limit: number, after = ''): Promise<CatalogPage<Sku>> {
    return this.#list(rowsOf(SKUS), { limit, after });
  }

  listNodes(limit: number, after = ''): Promise<CatalogPage<Node>> {
    return this.#list(rowsOf(NODES), { limit, after });
  }

  listChannels(limit: number, after = ''): Promise<CatalogPage<Channel>> {
    return this.#list(rowsOf(CHANNELS), { limit, after });
  }

  listThresholds(limit: number, after = '0'): Promise<CatalogPage<Threshold>> {
    return this.#list(thresholdRows(false), { limit, after });
  }

  #list<V>(source: Source<V>, wanted: Wanted): Promise<CatalogPage<V>> {
    return listPage(source, { manager: this.#dataSource.manager, client: poolOf(this.#dataSource) }, wanted);
  }

  async #put<E extends { code: string }, C, V>(kind: Kind<E, C, V>, changes: readonly C[]): Promise<Applied> {
    const byCode = await changesByCode(kind, changes);
    const locks = [...byCode.keys()].map((code) => factKey(kind.noun, code));
    try {
      await this.#changeRules(kind.ruling.length > 0 ? COMMIT_RULES : COMMIT_SKUS, locks, async (work) => {
        const { faults, areRulesChanged } = await changeRows(work, kind, byCode);
        if (faults.length > 0) throw new Faulty(faults);
        return areRulesChanged;
      });
    } catch (error) {
      if (error instanceof Faulty) return { ok: false, faults: error.faults };
      throw error;
    }
    return { ok: true, applied: byCode.size };
  }

  /**
   * `apply` answers whether rules have changed. Then the epoch's row is stepped, last of all, so that changes of rules take
   * effect one after the other, and each epoch stands for one state of them; others wait for no longer than the commit takes.
   */
  async #changeRules(commit: Commit, locks: readonly string[], apply: (work: Work) => Promise<boolean>): Promise<void> {
    await this.#units.run({ commit, locks }, async (work) => {
      if (await apply(work)) await work.client.query('UPDATE catalog_epoch SET epoch = epoch + 1');
    });
  }

  async #keys(table: 'sku' | 'node' | 'channel', codes: readonly string[]): Promise<Map<string, number>> {
    if (codes.length === 0) return new Map();
    const rows: { key: number; code: string }[] = await this.#dataSource.query(
      `SELECT ${table}_key AS key, code FROM ${table} WHERE code = ANY($1::text[])`,
      [codes],
    );
    return new Map(rows.map(({ key, code }) => [code, key]));
  }
}

/** Thrown, so that the transaction leaves nothing behind. */
class Faulty extends Error {
  readonly faults: readonly ChangeFault[];

  constructor(faults: readonly ChangeFault[]) {
    super('Some of the changes cannot be applied');
    this.faults = faults;
  }
}

const THRESHOLD_CODES = ['channel', 'node', 'sku'] as const;
const NOUNS = { channel: 'channel', node: 'node', sku: 'SKU' } as const;
const unknown = (kind: keyof typeof NOUNS, value: string) => ({
  code: `${kind}.unknown`,
  message: () => `there is no ${NOUNS[kind]} ${value}`,
  value,
});

const STEPS_PER_SLICE = 2_000;

async function lastByKey(thresholds: readonly Threshold[]): Promise<ReadonlyMap<string, Threshold>> {
  const last = new Map<string, Threshold>();
  const slices = new Slices(STEPS_PER_SLICE);
  for (const threshold of thresholds) {
    last.set(thresholdKey(threshold), threshold);
    if (slices.isFull()) await slices.next();
  }
  return last;
}

const named = (thresholds: readonly Threshold[], kind: 'channel' | 'node' | 'sku'): string[] => [
  ...new Set(thresholds.flatMap((threshold) => threshold[kind] ?? [])),
];
