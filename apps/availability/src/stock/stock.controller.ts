/** Movements, stops, receipts and transfers in, and how sources are read; stock, ledger, exceptions and event counts out. */
import { Controller } from '@nestjs/common';
import { AVAILABILITY_OPERATIONS as operations } from '@onepool/contracts';
import { type Call, Serve } from '@onepool/platform-operations';
import { InboundReads, SourceSettingsStore, StockEngine, StockReads } from '@onepool/stock-data-access';
import { valueOf } from '../problems.ts';
import { askerOf, demandRiders } from './asker.ts';

type Op = typeof operations;

@Controller()
export class StockController {
  readonly #engine: StockEngine;
  readonly #reads: StockReads;
  readonly #sources: SourceSettingsStore;
  readonly #inbound: InboundReads;

  constructor(engine: StockEngine, reads: StockReads) {
    this.#engine = engine;
    this.#reads = reads;
    this.#inbound = new InboundReads(engine);
    this.#sources = new SourceSettingsStore(engine.lookupPool, engine.sources);
  }

  @Serve(operations.recordMovements)
  async recordMovements({ body, caller, sentAt }: Call<Op['recordMovements']>) {
    return valueOf(await this.#engine.recordMovements(askerOf(caller, sentAt), body));
  }

  @Serve(operations.putStops)
  async putStops({ body, caller }: Call<Op['putStops']>) {
    return valueOf(await this.#engine.putStops(askerOf(caller), body));
  }

  @Serve(operations.listStops)
  async listStops({ query: { sku, limit = 100, cursor } }: Call<Op['listStops']>) {
    return valueOf(await this.#reads.stops({ sku, limit, cursor }));
  }

  @Serve(operations.putInbound)
  async putInbound({ params: { id }, body, caller }: Call<Op['putInbound']>) {
    valueOf(await this.#engine.putInbound(askerOf(caller), { ...body, id }));
    return valueOf(await this.#inbound.inbound(caller.id, id));
  }

  @Serve(operations.receive)
  async receive({ body, caller, sentAt }: Call<Op['receive']>) {
    return valueOf(await this.#engine.receive(askerOf(caller, sentAt), body));
  }

  @Serve(operations.ship)
  async ship({ body, caller, sentAt }: Call<Op['ship']>) {
    demandRiders(body, caller);
    return valueOf(await this.#engine.ship(askerOf(caller, sentAt), body));
  }

  @Serve(operations.getInbound)
  async getInbound({ params: { id }, query: { owner }, caller }: Call<Op['getInbound']>) {
    return valueOf(await this.#inbound.inbound(owner ?? caller.id, id));
  }

  @Serve(operations.listInbound)
  async listInbound({ query: { limit = 100, ...query } }: Call<Op['listInbound']>) {
    return valueOf(await this.#inbound.lines({ ...query, limit }));
  }

  @Serve(operations.listSources)
  async listSources({ caller }: Call<Op['listSources']>) {
    return { items: await this.#sources.list(caller.id) };
  }

  @Serve(operations.putSource)
  async putSource({ params, body, caller }: Call<Op['putSource']>) {
    return valueOf(await this.#sources.set(caller.id, params.name, body));
  }

  @Serve(operations.getStock)
  async getStock({ params }: Call<Op['getStock']>) {
    return valueOf(await this.#reads.stock(params.sku));
  }

  @Serve(operations.listLedger)
  async listLedger({ params, query: { limit = 100, cursor }, caller }: Call<Op['listLedger']>) {
    const page = { limit, cursor, isAuditor: caller.scopes.has('stock:audit') };
    return valueOf(await this.#reads.ledger(params.sku, page));
  }

  @Serve(operations.verifyLedger)
  async verifyLedger({ body }: Call<Op['verifyLedger']>) {
    return valueOf(await this.#reads.verifyLedger(body.skuPrefix));
  }

  @Serve(operations.listExceptions)
  listExceptions({ query: { limit = 100, cursor }, caller: { nodes } }: Call<Op['listExceptions']>) {
    return this.#reads.exceptions({ limit, cursor, nodes });
  }

  @Serve(operations.countEvents)
  async countEvents({ query: { namePrefix = '' } }: Call<Op['countEvents']>) {
    return { written: valueOf(await this.#reads.countEvents(namePrefix)) };
  }
}
