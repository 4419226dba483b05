/** SKUs, nodes, channels and thresholds. */
import { Controller } from '@nestjs/common';
import { Catalog } from '@onepool/catalog-data-access';
import { AVAILABILITY_OPERATIONS as operations } from '@onepool/contracts';
import { type Call, Serve } from '@onepool/platform-operations';
import { appliedOf, readCsv, refuseUnknownNodes } from './catalog-csv.ts';

type Op = typeof operations;

@Controller()
export class CatalogController {
  readonly #catalog: Catalog;

  constructor(catalog: Catalog) {
    this.#catalog = catalog;
  }

  @Serve(operations.listSkus)
  listSkus({ query: { limit = 100, cursor } }: Call<Op['listSkus']>) {
    return this.#catalog.listSkus(limit, cursor);
  }

  @Serve(operations.putSkus)
  async putSkus({ body: { skus } }: Call<Op['putSkus']>) {
    return appliedOf(await this.#catalog.putSkus(skus));
  }

  @Serve(operations.importSkus)
  async importSkus({ body }: Call<Op['importSkus']>) {
    return appliedOf(await this.#catalog.putSkus((await readCsv('sku', body)).map(({ row }) => row)));
  }

  @Serve(operations.listNodes)
  listNodes({ query: { limit = 100, cursor } }: Call<Op['listNodes']>) {
    return this.#catalog.listNodes(limit, cursor);
  }

  @Serve(operations.putNodes)
  async putNodes({ body: { nodes } }: Call<Op['putNodes']>) {
    return appliedOf(await this.#catalog.putNodes(nodes));
  }

  @Serve(operations.importNodes)
  async importNodes({ body }: Call<Op['importNodes']>) {
    return appliedOf(await this.#catalog.putNodes((await readCsv('node', body)).map(({ row }) => row)));
  }

  @Serve(operations.listChannels)
  listChannels({ query: { limit = 100, cursor } }: Call<Op['listChannels']>) {
    return this.#catalog.listChannels(limit, cursor);
  }

  @Serve(operations.putChannels)
  async putChannels({ body: { channels } }: Call<Op['putChannels']>) {
    return appliedOf(await this.#catalog.putChannels(channels));
  }

  @Serve(operations.importChannels)
  async importChannels({ body }: Call<Op['importChannels']>) {
    const good = await readCsv('channel', body);
    const rows = good.map(({ row }) => row);
    refuseUnknownNodes(good, await this.#catalog.unknownNodes(rows.flatMap(({ nodes = [] }) => nodes)));
    return appliedOf(await this.#catalog.putChannels(rows));
  }

  @Serve(operations.listThresholds)
  listThresholds({ query: { limit = 100, cursor } }: Call<Op['listThresholds']>) {
    return this.#catalog.listThresholds(limit, cursor);
  }

  @Serve(operations.putThresholds)
  async putThresholds({ body: { thresholds } }: Call<Op['putThresholds']>) {
    return appliedOf(await this.#catalog.putThresholds(thresholds));
  }
}
