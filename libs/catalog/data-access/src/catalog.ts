/**
 * The catalogue: changed by code, listed by code, each change told as a fact. Each call is one unit of work, which locks the rows
 * that it is about; one that changes who may sell what from where also steps the epoch.
 */
import type {
  Allowance,
  AllowanceChange,
  Channel,
  ChannelChange,
  EligibilityRule,
  EligibilityRuleChange,
  Fence,
  FenceChange,
  Node,
  NodeChange,
  Price,
  ReceiptPolicy,
  ReceiptPolicyChange,
  Sku,
  SkuChange,
  StopRule,
  StopRuleChange,
  Threshold,
  UpsertWarning,
} from '@onepool/contracts';
import { Slices } from '@onepool/platform-clock';
import { type Commit, commitPoint } from '@onepool/platform-failpoints';
import { factKey } from '@onepool/platform-messaging';
import { type UnitOfWork, type Work, poolOf } from '@onepool/platform-unit-of-work';
import type { DataSource } from 'typeorm';
import { changeRows, changesByCode } from './change-rows.ts';
import type { ChangeFault, Kind } from './kinds.ts';
import { ALLOWANCES } from './kinds/allowances.ts';
import { CHANNELS } from './kinds/channels.ts';
import { ELIGIBILITY_RULES } from './kinds/eligibility-rules.ts';
import { FENCES } from './kinds/fences.ts';
import { NODES } from './kinds/nodes.ts';
import { RECEIPT_POLICIES } from './kinds/receipt-policies.ts';
import { SKUS } from './kinds/skus.ts';
import { STOP_RULES } from './kinds/stop-rules.ts';
import { type KeysOf, type NamedBy, listed, resolveNamed, single } from './known-codes.ts';
import {
  type CatalogPage,
  type Source,
  type Wanted,
  everyRow,
  listPage,
  priceRows,
  rowsOf,
  thresholdRows,
} from './pages.ts';
import { inOrder, priceAggregate, priceKey, setPrices, unsoundPrice } from './prices.ts';
import { sharedGtins } from './shared-gtins.ts';
import { aggregateOf, setThresholds, thresholdKey } from './thresholds.ts';

/** Of what has faults nothing is applied. */
export type Applied =
  | { readonly ok: true; readonly applied: number; readonly warnings: readonly UpsertWarning[] }
  | { readonly ok: false; readonly faults: readonly ChangeFault[] };

const COMMIT_SKUS = commitPoint('catalog.skus');
const COMMIT_RULES = commitPoint('catalog.rules');
const COMMIT_PRICES = commitPoint('catalog.prices');
const COMMIT_ELIGIBILITY = commitPoint('catalog.eligibility');

export class Catalog {
  readonly #dataSource: DataSource;
  readonly #units: UnitOfWork;

  /** `units` work on the same data source. */
  constructor(dataSource: DataSource, units: UnitOfWork) {
    this.#dataSource = dataSource;
    this.#units = units;
  }

  /** A GTIN that another SKU has as well is warned of. */
  putSkus(changes: readonly SkuChange[]): Promise<Applied> {
    const told = changes.filter(({ gtin, identifiers }) => typeof gtin === 'string' || identifiers);
    const codes = [...new Set(told.map(({ sku }) => sku))];
    return this.#put(COMMIT_SKUS, SKUS, changes, [], ({ client }) => sharedGtins(client, codes));
  }

  putNodes(changes: readonly NodeChange[]): Promise<Applied> {
    return this.#put(COMMIT_RULES, NODES, changes, []);
  }

  putChannels(changes: readonly ChannelChange[]): Promise<Applied> {
    return this.#put(COMMIT_RULES, CHANNELS, changes, [
      { member: 'nodes', kind: 'node', codes: ({ nodes }) => listed(nodes) },
    ]);
  }

  putEligibilityRules(changes: readonly EligibilityRuleChange[]): Promise<Applied> {
    return this.#put(COMMIT_ELIGIBILITY, ELIGIBILITY_RULES, changes, [
      { member: 'skus', kind: 'sku', codes: ({ skus }) => listed(skus) },
      { member: 'nodes', kind: 'node', codes: ({ nodes }) => listed(nodes) },
      { member: 'channels', kind: 'channel', codes: ({ channels }) => listed(channels) },
    ]);
  }

  putFences(changes: readonly FenceChange[]): Promise<Applied> {
    return this.#put(COMMIT_RULES, FENCES, changes, [
      { member: 'skus', kind: 'sku', codes: ({ skus }) => listed(skus) },
      { member: 'nodes', kind: 'node', codes: ({ nodes }) => listed(nodes) },
      { member: 'channels', kind: 'channel', codes: ({ channels }) => listed(channels) },
    ]);
  }

  putAllowances(changes: readonly AllowanceChange[]): Promise<Applied> {
    return this.#put(COMMIT_RULES, ALLOWANCES, changes, [
      { member: 'skus', kind: 'sku', codes: ({ skus }) => listed(skus) },
      { member: 'nodes', kind: 'node', codes: ({ nodes }) => listed(nodes) },
    ]);
  }

  putStopRules(changes: readonly StopRuleChange[]): Promise<Applied> {
    return this.#put(COMMIT_RULES, STOP_RULES, changes, [
      { member: 'nodes', kind: 'node', codes: ({ nodes }) => listed(nodes) },
      { member: 'channels', kind: 'channel', codes: ({ channels }) => listed(channels) },
    ]);
  }

  putReceiptPolicies(changes: readonly ReceiptPolicyChange[]): Promise<Applied> {
    return this.#put(COMMIT_RULES, RECEIPT_POLICIES, changes, [
      { member: 'nodes', kind: 'node', codes: ({ nodes }) => listed(nodes) },
    ]);
  }

  /** Sets or, with quantity 0, removes rules; of several for the same the last one counts. */
  async putThresholds(thresholds: readonly Threshold[]): Promise<Applied> {
    const { faults, keys } = await resolveNamed(
      thresholds,
      [
        { member: 'channel', kind: 'channel', codes: ({ channel }) => single(channel) },
        { member: 'node', kind: 'node', codes: ({ node }) => single(node) },
        { member: 'sku', kind: 'sku', codes: ({ sku }) => single(sku) },
      ],
      this.#keysOf,
    );
    if (faults.length > 0) return { ok: false, faults };
    const last = await lastByKey(thresholds, thresholdKey);
    await this.#change(COMMIT_RULES, [...last.keys()].map(aggregateOf), async (work) => {
      if (await setThresholds(work, [...last.values()], keys)) await stepEpoch(work);
    });
    return { ok: true, applied: last.size, warnings: [] };
  }

  /** Each list replaces that of its SKU, channel and currency; of several for the same the last one counts. */
  async putPrices(prices: readonly Price[]): Promise<Applied> {
    const ordered = prices.map(inOrder);
    const named = await resolveNamed(
      ordered,
      [
        { member: 'sku', kind: 'sku', codes: ({ sku }) => [sku] },
        { member: 'channel', kind: 'channel', codes: ({ channel }) => [channel] },
      ],
      this.#keysOf,
    );
    const unsound = ordered.flatMap((price, index) => {
      const fault = unsoundPrice(price);
      return fault ? [{ index, ...fault }] : [];
    });
    const faults = [...named.faults, ...unsound];
    if (faults.length > 0) return { ok: false, faults };
    const last = await lastByKey(ordered, priceKey);
    const locks = [...last.keys()].map(priceAggregate);
    await this.#change(COMMIT_PRICES, locks, (work) => setPrices(work, [...last.values()], named.keys));
    return { ok: true, applied: last.size, warnings: [] };
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

  listEligibilityRules(limit: number, after = ''): Promise<CatalogPage<EligibilityRule>> {
    return this.#list(rowsOf(ELIGIBILITY_RULES), { limit, after });
  }

  listFences(limit: number, after = ''): Promise<CatalogPage<Fence>> {
    return this.#list(rowsOf(FENCES), { limit, after });
  }

  listAllowances(limit: number, after = ''): Promise<CatalogPage<Allowance>> {
    return this.#list(rowsOf(ALLOWANCES), { limit, after });
  }

  listStopRules(limit: number, after = ''): Promise<CatalogPage<StopRule>> {
    return this.#list(rowsOf(STOP_RULES), { limit, after });
  }

  listReceiptPolicies(limit: number, after = ''): Promise<CatalogPage<ReceiptPolicy>> {
    return this.#list(rowsOf(RECEIPT_POLICIES), { limit, after });
  }

  listThresholds(limit: number, after = '0'): Promise<CatalogPage<Threshold>> {
    return this.#list(thresholdRows(false), { limit, after });
  }

  listPrices(limit: number, after = '0'): Promise<CatalogPage<Price>> {
    return this.#list(priceRows(false), { limit, after });
  }

  everySku(): AsyncIterable<readonly Sku[]> {
    return everyRow(rowsOf(SKUS), this.#connection);
  }

  everyNode(): AsyncIterable<readonly Node[]> {
    return everyRow(rowsOf(NODES), this.#connection);
  }

  everyChannel(): AsyncIterable<readonly Channel[]> {
    return everyRow(rowsOf(CHANNELS), this.#connection);
  }

  #list<V>(source: Source<V>, wanted: Wanted): Promise<CatalogPage<V>> {
    return listPage(source, this.#connection, wanted);
  }

  get #connection() {
    return { manager: this.#dataSource.manager, client: poolOf(this.#dataSource) };
  }

  async #put<E extends { code: string }, C, V>(
    commit: Commit,
    kind: Kind<E, C, V>,
    changes: readonly C[],
    members: readonly NamedBy<C>[],
    warn: (work: Work) => Promise<readonly UpsertWarning[]> = () => Promise.resolve([]),
  ): Promise<Applied> {
    const { faults } = await resolveNamed(changes, members, this.#keysOf);
    if (faults.length > 0) return { ok: false, faults };
    const byCode = await changesByCode(kind, changes);
    const locks = [...byCode.keys()].map((code) => factKey(kind.noun, code));
    try {
      const warnings = await this.#change(commit, locks, async (work) => {
        const changed = await changeRows(work, kind, byCode);
        if (changed.faults.length > 0) throw new Faulty(changed.faults);
        const found = await warn(work);
        if (changed.areRulesChanged) await stepEpoch(work);
        return found;
      });
      return { ok: true, applied: byCode.size, warnings };
    } catch (error) {
      if (error instanceof Faulty) return { ok: false, faults: error.faults };
      throw error;
    }
  }

  #change<T>(commit: Commit, locks: readonly string[], apply: (work: Work) => Promise<T>): Promise<T> {
    return this.#units.run({ commit, locks }, apply);
  }

  readonly #keysOf: KeysOf = async (table, codes) => {
    if (codes.length === 0) return new Map();
    const rows: { key: number; code: string }[] = await this.#dataSource.query(
      `SELECT ${table}_key AS key, code FROM ${table} WHERE code = ANY($1::text[])`,
      [codes],
    );
    return new Map(rows.map(({ key, code }) => [code, key]));
  };
}

/** Thrown, so that the transaction leaves nothing behind. */
class Faulty extends Error {
  readonly faults: readonly ChangeFault[];

  constructor(faults: readonly ChangeFault[]) {
    super('Some of the changes cannot be applied');
    this.faults = faults;
  }
}

/**
 * Last of all, so that changes of rules take effect one after the other, and each epoch stands for one state of them; others
 * wait for no longer than the commit takes.
 */
const stepEpoch = (work: Work): Promise<unknown> =>
  work.client.query('UPDATE catalog_epoch SET epoch = epoch + 1') as Promise<unknown>;

const STEPS_PER_SLICE = 2_000;

async function lastByKey<T>(items: readonly T[], keyOf: (item: T) => string): Promise<ReadonlyMap<string, T>> {
  const last = new Map<string, T>();
  const slices = new Slices(STEPS_PER_SLICE);
  for (const item of items) {
    last.set(keyOf(item), item);
    if (slices.isFull()) await slices.next();
  }
  return last;
}
