/**
 * The same operations over NATS request/reply. A request is one JSON object: the members of the HTTP body together with
 * the path's parameters; for a verb on a reservation that is its `id` beside the `commandId`.
 */
import { Controller } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';
import {
  AVAILABILITY_OPERATIONS as operations,
  type AtpManyRequest,
  type HoldRequest,
  type MovementsRequest,
  type PutChannels,
  type PutNodes,
  type PutSkus,
  type PutThresholds,
} from '@onepool/contracts';
import { type ApiClient, CurrentClient, RequireScope } from '@onepool/platform-auth';
import { Catalog } from '@onepool/catalog-data-access';
import { NatsReply } from '@onepool/platform-messaging';
import { type Validator, bodyOf } from '@onepool/platform-problem';
import { StockEngine, StockReads, type VerbRequest } from '@onepool/stock-data-access';
import { appliedOf } from '../catalog-edge.ts';
import { valueOf } from '../problems.ts';
import { bodies, params, queries } from '../validators.ts';

/** Takes the path's parameter out of a payload; the rest is the body. */
function splitId(payload: unknown): { readonly id: string; readonly body: unknown } {
  const { id, ...body } = typeof payload === 'object' && payload !== null ? (payload as Record<string, unknown>) : {};
  return { ...params.reservation.parse({ id }), body };
}

const CREATED = 201;

@Controller()
@RequireScope('reservations:write')
export class ReservationsRpc {
  readonly #engine: StockEngine;
  readonly #reads: StockReads;

  constructor(engine: StockEngine, reads: StockReads) {
    this.#engine = engine;
    this.#reads = reads;
  }

  @MessagePattern(operations.hold.subject)
  async hold(
    @Payload(bodyOf(bodies.hold)) request: HoldRequest,
    @CurrentClient() client: ApiClient,
  ): Promise<NatsReply> {
    return new NatsReply(CREATED, valueOf(await this.#engine.hold(client.id, request)));
  }

  @MessagePattern(operations.getReservation.subject)
  @RequireScope('reservations:read')
  read(@Payload(bodyOf(params.reservation)) { id }: { id: string }, @CurrentClient() client: ApiClient) {
    return this.#reads.reservation(client.id, id);
  }

  @MessagePattern(operations.extend.subject)
  extend(@Payload() payload: unknown, @CurrentClient() client: ApiClient) {
    return this.#verb(client, payload, bodies.extend, (body) => ({ verb: 'extend', body }));
  }

  @MessagePattern(operations.confirm.subject)
  confirm(@Payload() payload: unknown, @CurrentClient() client: ApiClient) {
    return this.#verb(client, payload, bodies.confirm, (body) => ({ verb: 'confirm', body }));
  }

  @MessagePattern(operations.reback.subject)
  reback(@Payload() payload: unknown, @CurrentClient() client: ApiClient) {
    return this.#verb(client, payload, bodies.reback, (body) => ({ verb: 're-back', body }));
  }

  @MessagePattern(operations.fulfil.subject)
  fulfil(@Payload() payload: unknown, @CurrentClient() client: ApiClient) {
    return this.#verb(client, payload, bodies.fulfil, (body) => ({ verb: 'fulfil', body }));
  }

  @MessagePattern(operations.release.subject)
  release(@Payload() payload: unknown, @CurrentClient() client: ApiClient) {
    return this.#verb(client, payload, bodies.release, (body) => ({ verb: 'release', body }));
  }

  @MessagePattern(operations.cancel.subject)
  cancel(@Payload() payload: unknown, @CurrentClient() client: ApiClient) {
    return this.#verb(client, payload, bodies.cancel, (body) => ({ verb: 'cancel', body }));
  }

  async #verb<T>(client: ApiClient, payload: unknown, validator: Validator<T>, toRequest: (body: T) => VerbRequest) {
    const { id, body } = splitId(payload);
    return valueOf(await this.#engine.verb(client.id, id, toRequest(validator.parse(body))));
  }
}

@Controller()
@RequireScope('stock:read')
export class StockRpc {
  readonly #engine: StockEngine;
  readonly #reads: StockReads;

  constructor(engine: StockEngine, reads: StockReads) {
    this.#engine = engine;
    this.#reads = reads;
  }

  @MessagePattern(operations.recordMovements.subject)
  @RequireScope('stock:write')
  async recordMovements(
    @Payload(bodyOf(bodies.recordMovements)) request: MovementsRequest,
    @CurrentClient() client: ApiClient,
  ): Promise<NatsReply> {
    return new NatsReply(CREATED, valueOf(await this.#engine.recordMovements(client.id, request)));
  }

  @MessagePattern(operations.getAtp.subject)
  getAtp(@Payload() payload: unknown) {
    const { sku, ...query } =
      typeof payload === 'object' && payload !== null ? (payload as Record<string, unknown>) : {};
    return this.#reads.atpOfOne({ ...queries.atp.parse(query), skus: [params.sku.parse({ sku }).sku] });
  }

  @MessagePattern(operations.queryAtp.subject)
  async queryAtp(@Payload(bodyOf(bodies.queryAtp)) request: AtpManyRequest) {
    return { items: await this.#reads.atp(request) };
  }

  @MessagePattern(operations.getStock.subject)
  getStock(@Payload(bodyOf(params.sku)) { sku }: { sku: string }) {
    return this.#reads.stock(sku);
  }
}

@Controller()
@RequireScope('catalog:write')
export class CatalogRpc {
  readonly #catalog: Catalog;

  constructor(catalog: Catalog) {
    this.#catalog = catalog;
  }

  @MessagePattern(operations.putSkus.subject)
  async putSkus(@Payload(bodyOf(bodies.putSkus)) { skus }: PutSkus) {
    return appliedOf(await this.#catalog.putSkus(skus));
  }

  @MessagePattern(operations.putNodes.subject)
  async putNodes(@Payload(bodyOf(bodies.putNodes)) { nodes }: PutNodes) {
    return appliedOf(await this.#catalog.putNodes(nodes));
  }

  @MessagePattern(operations.putChannels.subject)
  async putChannels(@Payload(bodyOf(bodies.putChannels)) { channels }: PutChannels) {
    return appliedOf(await this.#catalog.putChannels(channels));
  }

  @MessagePattern(operations.putThresholds.subject)
  async putThresholds(@Payload(bodyOf(bodies.putThresholds)) { thresholds }: PutThresholds) {
    return appliedOf(await this.#catalog.putThresholds(thresholds));
  }
}
