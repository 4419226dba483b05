/** HTTP: reservations and their verbs. Holding is among the hot routes. */
import { Body, Controller, Get, HttpCode, Param, Post } from '@nestjs/common';
import type {
  CancelRequest,
  ConfirmRequest,
  ExtendRequest,
  FulfilRequest,
  RebackRequest,
  ReleaseRequest,
  Reservation,
} from '@onepool/contracts';
import { type ApiClient, CurrentClient, RequireScope } from '@onepool/platform-auth';
import { bodyOf } from '@onepool/platform-problem';
import { StockEngine, StockReads, type VerbRequest } from '@onepool/stock-data-access';
import { valueOf } from '../problems.ts';
import { bodies, params } from '../validators.ts';

interface ReservationParam {
  readonly id: string;
}

@Controller('v1/reservations')
@RequireScope('reservations:write')
export class ReservationsController {
  readonly #engine: StockEngine;
  readonly #reads: StockReads;

  constructor(engine: StockEngine, reads: StockReads) {
    this.#engine = engine;
    this.#reads = reads;
  }

  @Get(':id')
  @RequireScope('reservations:read')
  read(
    @Param(bodyOf(params.reservation)) { id }: ReservationParam,
    @CurrentClient() client: ApiClient,
  ): Promise<Reservation> {
    return this.#reads.reservation(client.id, id);
  }

  @Post(':id/extend')
  @HttpCode(200)
  extend(
    @Param(bodyOf(params.reservation)) param: ReservationParam,
    @Body(bodyOf(bodies.extend)) body: ExtendRequest,
    @CurrentClient() client: ApiClient,
  ): Promise<Reservation> {
    return this.#verb(client, param, { verb: 'extend', body });
  }

  @Post(':id/confirm')
  @HttpCode(200)
  confirm(
    @Param(bodyOf(params.reservation)) param: ReservationParam,
    @Body(bodyOf(bodies.confirm)) body: ConfirmRequest,
    @CurrentClient() client: ApiClient,
  ): Promise<Reservation> {
    return this.#verb(client, param, { verb: 'confirm', body });
  }

  @Post(':id/re-back')
  @HttpCode(200)
  reback(
    @Param(bodyOf(params.reservation)) param: ReservationParam,
    @Body(bodyOf(bodies.reback)) body: RebackRequest,
    @CurrentClient() client: ApiClient,
  ): Promise<Reservation> {
    return this.#verb(client, param, { verb: 're-back', body });
  }

  @Post(':id/fulfil')
  @HttpCode(200)
  fulfil(
    @Param(bodyOf(params.reservation)) param: ReservationParam,
    @Body(bodyOf(bodies.fulfil)) body: FulfilRequest,
    @CurrentClient() client: ApiClient,
  ): Promise<Reservation> {
    return this.#verb(client, param, { verb: 'fulfil', body });
  }

  @Post(':id/release')
  @HttpCode(200)
  release(
    @Param(bodyOf(params.reservation)) param: ReservationParam,
    @Body(bodyOf(bodies.release)) body: ReleaseRequest,
    @CurrentClient() client: ApiClient,
  ): Promise<Reservation> {
    return this.#verb(client, param, { verb: 'release', body });
  }

  @Post(':id/cancel')
  @HttpCode(200)
  cancel(
    @Param(bodyOf(params.reservation)) param: ReservationParam,
    @Body(bodyOf(bodies.cancel)) body: CancelRequest,
    @CurrentClient() client: ApiClient,
  ): Promise<Reservation> {
    return this.#verb(client, param, { verb: 'cancel', body });
  }

  async #verb(client: ApiClient, { id }: ReservationParam, request: VerbRequest): Promise<Reservation> {
    return valueOf(await this.#engine.verb(client.id, id, request));
  }
}
