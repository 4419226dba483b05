/** Snapshots of the catalogue, from which a consumer of its facts begins that was not there from the first one on. */
import type {
  Allowance,
  Channel,
  EligibilityRule,
  Fence,
  Node,
  Price,
  ReceiptPolicy,
  Sku,
  SnapshotPage,
  StopRule,
  Threshold,
} from '@onepool/contracts';
import { variant } from '@onepool/platform-failpoints';
import type { UnitOfWork } from '@onepool/platform-unit-of-work';
import { ALLOWANCES } from './kinds/allowances.ts';
import { CHANNELS } from './kinds/channels.ts';
import { ELIGIBILITY_RULES } from './kinds/eligibility-rules.ts';
import { FENCES } from './kinds/fences.ts';
import { NODES } from './kinds/nodes.ts';
import { RECEIPT_POLICIES } from './kinds/receipt-policies.ts';
import { SKUS } from './kinds/skus.ts';
import { STOP_RULES } from './kinds/stop-rules.ts';
import { type Source, type Wanted, priceRows, rowsOf, snapshotPage, thresholdRows } from './pages.ts';

export class CatalogSnapshots {
  readonly #units: UnitOfWork;
  readonly #readPosition: () => Promise<string>;

  /** `readPosition`: where the stream of the catalogue's facts is; every fact up to there has been committed. */
  constructor(units: UnitOfWork, readPosition: () => Promise<string>) {
    this.#units = units;
    this.#readPosition = readPosition;
  }

  skus(wanted: Wanted): Promise<SnapshotPage<Sku>> {
    return this.#page(rowsOf(SKUS), wanted);
  }

  nodes(wanted: Wanted): Promise<SnapshotPage<Node>> {
    return this.#page(rowsOf(NODES), wanted);
  }

  channels(wanted: Wanted): Promise<SnapshotPage<Channel>> {
    return this.#page(rowsOf(CHANNELS), wanted);
  }

  eligibilityRules(wanted: Wanted): Promise<SnapshotPage<EligibilityRule>> {
    return this.#page(rowsOf(ELIGIBILITY_RULES), wanted);
  }

  fences(wanted: Wanted): Promise<SnapshotPage<Fence>> {
    return this.#page(rowsOf(FENCES), wanted);
  }

  allowances(wanted: Wanted): Promise<SnapshotPage<Allowance>> {
    return this.#page(rowsOf(ALLOWANCES), wanted);
  }

  receiptPolicies(wanted: Wanted): Promise<SnapshotPage<ReceiptPolicy>> {
    return this.#page(rowsOf(RECEIPT_POLICIES), wanted);
  }

  stopRules(wanted: Wanted): Promise<SnapshotPage<StopRule>> {
    return this.#page(rowsOf(STOP_RULES), wanted);
  }

  /** Those that were removed are in it, as null. */
  prices(wanted: Wanted): Promise<SnapshotPage<Price>> {
    return this.#page(priceRows(true), wanted);
  }

  /** Likewise. */
  thresholds(wanted: Wanted): Promise<SnapshotPage<Threshold>> {
    return this.#page(thresholdRows(true), wanted);
  }

  /** The position first: a fact between it and the rows is only heard once more. The other way round it would be lost. */
  async #page<V>(source: Source<V>, wanted: Wanted): Promise<SnapshotPage<V>> {
    if (variant('catalog.position_after_rows')) {
      const page = await snapshotPage(source, this.#units, '', wanted);
      return { ...page, position: await this.#readPosition() };
    }
    return snapshotPage(source, this.#units, await this.#readPosition(), wanted);
  }
}
