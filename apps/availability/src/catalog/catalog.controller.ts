/** SKUs, nodes, channels, prices, and the rules that limit their sale. */
import { Controller } from '@nestjs/common';
import { Catalog, CatalogSnapshots, codeBefore } from '@onepool/catalog-data-access';
import { AVAILABILITY_OPERATIONS as operations } from '@onepool/contracts';
import { type Call, Serve } from '@onepool/platform-operations';
import { problem } from '@onepool/platform-problem';
import { appliedOf, appliedOfFile, csvOf, readCsv } from './catalog-csv.ts';

type Op = typeof operations;

function after(cursor: string | undefined): string {
  const code = cursor === undefined ? '' : codeBefore(cursor);
  if (code !== null) return code;
  const message = 'must be the nextCursor of the page before';
  throw problem('request.invalid', { errors: [{ path: '/cursor', code: 'pattern', message }] });
}

@Controller()
export class CatalogController {
  readonly #catalog: Catalog;
  readonly #snapshots: CatalogSnapshots;

  constructor(catalog: Catalog, snapshots: CatalogSnapshots) {
    this.#catalog = catalog;
    this.#snapshots = snapshots;
  }

  @Serve(operations.listSkus)
  listSkus({ query: { limit = 100, cursor } }: Call<Op['listSkus']>) {
    return this.#catalog.listSkus(limit, after(cursor));
  }

  @Serve(operations.snapshotSkus)
  snapshotSkus({ query: { limit = 100, cursor } }: Call<Op['snapshotSkus']>) {
    return this.#snapshots.skus({ limit, after: after(cursor) });
  }

  @Serve(operations.putSkus)
  async putSkus({ body: { skus } }: Call<Op['putSkus']>) {
    return appliedOf('skus', await this.#catalog.putSkus(skus));
  }

  @Serve(operations.exportSkus)
  async exportSkus({ query }: Call<Op['exportSkus']>) {
    return csvOf('sku', this.#catalog.everySku(), query.for);
  }

  @Serve(operations.importSkus)
  async importSkus({ body }: Call<Op['importSkus']>) {
    const good = await readCsv('sku', body);
    return appliedOfFile(good, await this.#catalog.putSkus(good.map(({ row }) => row)));
  }

  @Serve(operations.listNodes)
  listNodes({ query: { limit = 100, cursor } }: Call<Op['listNodes']>) {
    return this.#catalog.listNodes(limit, after(cursor));
  }

  @Serve(operations.snapshotNodes)
  snapshotNodes({ query: { limit = 100, cursor } }: Call<Op['snapshotNodes']>) {
    return this.#snapshots.nodes({ limit, after: after(cursor) });
  }

  @Serve(operations.putNodes)
  async putNodes({ body: { nodes } }: Call<Op['putNodes']>) {
    return appliedOf('nodes', await this.#catalog.putNodes(nodes));
  }

  @Serve(operations.exportNodes)
  async exportNodes({ query }: Call<Op['exportNodes']>) {
    return csvOf('node', this.#catalog.everyNode(), query.for);
  }

  @Serve(operations.importNodes)
  async importNodes({ body }: Call<Op['importNodes']>) {
    const good = await readCsv('node', body);
    return appliedOfFile(good, await this.#catalog.putNodes(good.map(({ row }) => row)));
  }

  @Serve(operations.listChannels)
  listChannels({ query: { limit = 100, cursor } }: Call<Op['listChannels']>) {
    return this.#catalog.listChannels(limit, after(cursor));
  }

  @Serve(operations.snapshotChannels)
  snapshotChannels({ query: { limit = 100, cursor } }: Call<Op['snapshotChannels']>) {
    return this.#snapshots.channels({ limit, after: after(cursor) });
  }

  @Serve(operations.putChannels)
  async putChannels({ body: { channels } }: Call<Op['putChannels']>) {
    return appliedOf('channels', await this.#catalog.putChannels(channels));
  }

  @Serve(operations.exportChannels)
  async exportChannels({ query }: Call<Op['exportChannels']>) {
    return csvOf('channel', this.#catalog.everyChannel(), query.for);
  }

  @Serve(operations.importChannels)
  async importChannels({ body }: Call<Op['importChannels']>) {
    const good = await readCsv('channel', body);
    return appliedOfFile(good, await this.#catalog.putChannels(good.map(({ row }) => row)));
  }

  @Serve(operations.listThresholds)
  listThresholds({ query: { limit = 100, cursor } }: Call<Op['listThresholds']>) {
    return this.#catalog.listThresholds(limit, cursor);
  }

  @Serve(operations.snapshotThresholds)
  snapshotThresholds({ query: { limit = 100, cursor = '0' } }: Call<Op['snapshotThresholds']>) {
    return this.#snapshots.thresholds({ limit, after: cursor });
  }

  @Serve(operations.putThresholds)
  async putThresholds({ body: { thresholds } }: Call<Op['putThresholds']>) {
    return appliedOf('thresholds', await this.#catalog.putThresholds(thresholds));
  }

  @Serve(operations.listPrices)
  listPrices({ query: { limit = 100, cursor } }: Call<Op['listPrices']>) {
    return this.#catalog.listPrices(limit, cursor);
  }

  @Serve(operations.snapshotPrices)
  snapshotPrices({ query: { limit = 100, cursor = '0' } }: Call<Op['snapshotPrices']>) {
    return this.#snapshots.prices({ limit, after: cursor });
  }

  @Serve(operations.putPrices)
  async putPrices({ body: { prices } }: Call<Op['putPrices']>) {
    return appliedOf('prices', await this.#catalog.putPrices(prices));
  }

  @Serve(operations.listEligibilityRules)
  listEligibilityRules({ query: { limit = 100, cursor } }: Call<Op['listEligibilityRules']>) {
    return this.#catalog.listEligibilityRules(limit, after(cursor));
  }

  @Serve(operations.snapshotEligibilityRules)
  snapshotEligibilityRules({ query: { limit = 100, cursor } }: Call<Op['snapshotEligibilityRules']>) {
    return this.#snapshots.eligibilityRules({ limit, after: after(cursor) });
  }

  @Serve(operations.putEligibilityRules)
  async putEligibilityRules({ body: { rules } }: Call<Op['putEligibilityRules']>) {
    return appliedOf('rules', await this.#catalog.putEligibilityRules(rules));
  }

  @Serve(operations.listFences)
  listFences({ query: { limit = 100, cursor } }: Call<Op['listFences']>) {
    return this.#catalog.listFences(limit, after(cursor));
  }

  @Serve(operations.snapshotFences)
  snapshotFences({ query: { limit = 100, cursor } }: Call<Op['snapshotFences']>) {
    return this.#snapshots.fences({ limit, after: after(cursor) });
  }

  @Serve(operations.putFences)
  async putFences({ body: { fences } }: Call<Op['putFences']>) {
    return appliedOf('fences', await this.#catalog.putFences(fences));
  }

  @Serve(operations.listAllowances)
  listAllowances({ query: { limit = 100, cursor } }: Call<Op['listAllowances']>) {
    return this.#catalog.listAllowances(limit, after(cursor));
  }

  @Serve(operations.snapshotAllowances)
  snapshotAllowances({ query: { limit = 100, cursor } }: Call<Op['snapshotAllowances']>) {
    return this.#snapshots.allowances({ limit, after: after(cursor) });
  }

  @Serve(operations.putAllowances)
  async putAllowances({ body: { allowances } }: Call<Op['putAllowances']>) {
    return appliedOf('allowances', await this.#catalog.putAllowances(allowances));
  }

  @Serve(operations.listReceiptPolicies)
  listReceiptPolicies({ query: { limit = 100, cursor } }: Call<Op['listReceiptPolicies']>) {
    return this.#catalog.listReceiptPolicies(limit, after(cursor));
  }

  @Serve(operations.snapshotReceiptPolicies)
  snapshotReceiptPolicies({ query: { limit = 100, cursor } }: Call<Op['snapshotReceiptPolicies']>) {
    return this.#snapshots.receiptPolicies({ limit, after: after(cursor) });
  }

  @Serve(operations.putReceiptPolicies)
  async putReceiptPolicies({ body: { policies } }: Call<Op['putReceiptPolicies']>) {
    return appliedOf('policies', await this.#catalog.putReceiptPolicies(policies));
  }

  @Serve(operations.listStopRules)
  listStopRules({ query: { limit = 100, cursor } }: Call<Op['listStopRules']>) {
    return this.#catalog.listStopRules(limit, after(cursor));
  }

  @Serve(operations.snapshotStopRules)
  snapshotStopRules({ query: { limit = 100, cursor } }: Call<Op['snapshotStopRules']>) {
    return this.#snapshots.stopRules({ limit, after: after(cursor) });
  }

  @Serve(operations.putStopRules)
  async putStopRules({ body: { rules } }: Call<Op['putStopRules']>) {
    return appliedOf('rules', await this.#catalog.putStopRules(rules));
  }
}
