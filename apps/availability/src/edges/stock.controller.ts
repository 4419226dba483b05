/** HTTP: movements in; stock, ledger, exceptions and event counts out. ATP is among the hot routes. */
import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import type {
  EventCount,
  LedgerVerification,
  LedgerVerifyRequest,
  MovementsRequest,
  MovementsResult,
  PageQuery,
  StockOfSku,
} from '@onepool/contracts';
import { type ApiClient, CurrentClient, RequireScope, hasScope } from '@onepool/platform-auth';
import { bodyOf } from '@onepool/platform-problem';
import { StockEngine, StockReads } from '@onepool/stock-data-access';
import { valueOf } from '../problems.ts';
import { bodies, params, queries } from '../validators.ts';

interface SkuParam {
  readonly sku: string;
}

@Controller('v1')
@RequireScope('stock:read')
export class StockController {
  readonly #engine: StockEngine;
  readonly #reads: StockReads;

  constructor(engine: StockEngine, reads: StockReads) {
    this.#engine = engine;
    this.#reads = reads;
  }

  @Post('movements')
  @RequireScope('stock:write')
  async recordMovements(
    @Body(bodyOf(bodies.recordMovements)) request: MovementsRequest,
    @CurrentClient() client: ApiClient,
  ): Promise<MovementsResult> {
    return valueOf(await this.#engine.recordMovements(client.id, request));
  }

  @Get('stock/:sku')
  getStock(@Param(bodyOf(params.sku)) { sku }: SkuParam): Promise<StockOfSku> {
    return this.#reads.stock(sku);
  }

  @Get('stock/:sku/ledger')
  listLedger(
    @Param(bodyOf(params.sku)) { sku }: SkuParam,
    @Query(bodyOf(queries.ledgerPage)) { limit = 100, cursor }: PageQuery,
    @CurrentClient() client: ApiClient,
  ) {
    return this.#reads.ledger(sku, { limit, cursor, isAuditor: hasScope(client, 'stock:audit') });
  }

  @Post('ledger/verify')
  @HttpCode(200)
  verifyLedger(@Body(bodyOf(bodies.verifyLedger)) { skuPrefix }: LedgerVerifyRequest): Promise<LedgerVerification> {
    return this.#reads.verifyLedger(skuPrefix);
  }

  @Get('exceptions')
  listExceptions(@Query(bodyOf(queries.exceptionPage)) { limit = 100, cursor }: PageQuery) {
    return this.#reads.exceptions(limit, cursor);
  }

  @Get('events/count')
  @RequireScope('events:read')
  async countEvents(
    @Query(bodyOf(queries.countEvents)) { keyPrefix = '' }: { keyPrefix?: string },
  ): Promise<EventCount> {
    return { written: await this.#reads.countEvents(keyPrefix) };
  }
}
