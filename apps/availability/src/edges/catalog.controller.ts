/** HTTP: SKUs, nodes, channels and thresholds. */
import { Body, Controller, Get, HttpCode, Post, Put, Query } from '@nestjs/common';
import type {
  Channel,
  Node,
  PageQuery,
  PutChannels,
  PutNodes,
  PutSkus,
  PutThresholds,
  Sku,
  Upserted,
} from '@onepool/contracts';
import { RequireScope } from '@onepool/platform-auth';
import { bodyOf } from '@onepool/platform-problem';
import { Catalog, type CatalogPage } from '@onepool/catalog-data-access';
import { appliedOf, readCsv, refuseUnknownNodes } from '../catalog-edge.ts';
import { bodies, queries } from '../validators.ts';

@Controller('v1')
export class CatalogController {
  readonly #catalog: Catalog;

  constructor(catalog: Catalog) {
    this.#catalog = catalog;
  }

  @Get('skus')
  @RequireScope('catalog:read')
  listSkus(@Query(bodyOf(queries.page)) { limit = 100, cursor }: PageQuery): Promise<CatalogPage<Sku>> {
    return this.#catalog.listSkus(limit, cursor);
  }

  @Put('skus')
  @RequireScope('catalog:write')
  async putSkus(@Body(bodyOf(bodies.putSkus)) { skus }: PutSkus): Promise<Upserted> {
    return appliedOf(await this.#catalog.putSkus(skus));
  }

  @Post('skus/import')
  @HttpCode(200)
  @RequireScope('catalog:write')
  async importSkus(@Body() body: unknown): Promise<Upserted> {
    return appliedOf(await this.#catalog.putSkus((await readCsv('sku', body)).map(({ row }) => row)));
  }

  @Get('nodes')
  @RequireScope('catalog:read')
  listNodes(@Query(bodyOf(queries.page)) { limit = 100, cursor }: PageQuery): Promise<CatalogPage<Node>> {
    return this.#catalog.listNodes(limit, cursor);
  }

  @Put('nodes')
  @RequireScope('catalog:write')
  async putNodes(@Body(bodyOf(bodies.putNodes)) { nodes }: PutNodes): Promise<Upserted> {
    return appliedOf(await this.#catalog.putNodes(nodes));
  }

  @Post('nodes/import')
  @HttpCode(200)
  @RequireScope('catalog:write')
  async importNodes(@Body() body: unknown): Promise<Upserted> {
    return appliedOf(await this.#catalog.putNodes((await readCsv('node', body)).map(({ row }) => row)));
  }

  @Get('channels')
  @RequireScope('catalog:read')
  listChannels(@Query(bodyOf(queries.page)) { limit = 100, cursor }: PageQuery): Promise<CatalogPage<Channel>> {
    return this.#catalog.listChannels(limit, cursor);
  }

  @Put('channels')
  @RequireScope('catalog:write')
  async putChannels(@Body(bodyOf(bodies.putChannels)) { channels }: PutChannels): Promise<Upserted> {
    return appliedOf(await this.#catalog.putChannels(channels));
  }

  @Post('channels/import')
  @HttpCode(200)
  @RequireScope('catalog:write')
  async importChannels(@Body() body: unknown): Promise<Upserted> {
    const good = await readCsv('channel', body);
    const rows = good.map(({ row }) => row);
    refuseUnknownNodes(good, await this.#catalog.unknownNodes(rows.flatMap(({ nodes = [] }) => nodes)));
    return appliedOf(await this.#catalog.putChannels(rows));
  }

  @Get('thresholds')
  @RequireScope('catalog:read')
  listThresholds(@Query(bodyOf(queries.thresholdPage)) { limit = 100, cursor }: PageQuery) {
    return this.#catalog.listThresholds(limit, cursor);
  }

  @Put('thresholds')
  @RequireScope('catalog:write')
  async putThresholds(@Body(bodyOf(bodies.putThresholds)) { thresholds }: PutThresholds): Promise<Upserted> {
    return appliedOf(await this.#catalog.putThresholds(thresholds));
  }
}
