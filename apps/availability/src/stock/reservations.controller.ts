/** Reservations and their verbs. */
import { Controller } from '@nestjs/common';
import { AVAILABILITY_OPERATIONS as operations } from '@onepool/contracts';
import { type Call, Serve } from '@onepool/platform-operations';
import { StockEngine, StockReads } from '@onepool/stock-data-access';
import { valueOf } from '../problems.ts';

type Op = typeof operations;

@Controller()
export class ReservationsController {
  readonly #engine: StockEngine;
  readonly #reads: StockReads;

  constructor(engine: StockEngine, reads: StockReads) {
    this.#engine = engine;
    this.#reads = reads;
  }

  @Serve(operations.hold, { hot: true })
  async hold({ body, caller }: Call<Op['hold']>) {
    return valueOf(await this.#engine.hold(caller.id, body));
  }

  @Serve(operations.getReservation)
  read({ params, caller }: Call<Op['getReservation']>) {
    return this.#reads.reservation(caller.id, params.id);
  }

  @Serve(operations.extend)
  async extend({ params, body, caller }: Call<Op['extend']>) {
    return valueOf(await this.#engine.verb(caller.id, params.id, { verb: 'extend', body }));
  }

  @Serve(operations.confirm)
  async confirm({ params, body, caller }: Call<Op['confirm']>) {
    return valueOf(await this.#engine.verb(caller.id, params.id, { verb: 'confirm', body }));
  }

  @Serve(operations.reback)
  async reback({ params, body, caller }: Call<Op['reback']>) {
    return valueOf(await this.#engine.verb(caller.id, params.id, { verb: 're-back', body }));
  }

  @Serve(operations.fulfil)
  async fulfil({ params, body, caller }: Call<Op['fulfil']>) {
    return valueOf(await this.#engine.verb(caller.id, params.id, { verb: 'fulfil', body }));
  }

  @Serve(operations.release)
  async release({ params, body, caller }: Call<Op['release']>) {
    return valueOf(await this.#engine.verb(caller.id, params.id, { verb: 'release', body }));
  }

  @Serve(operations.cancel)
  async cancel({ params, body, caller }: Call<Op['cancel']>) {
    return valueOf(await this.#engine.verb(caller.id, params.id, { verb: 'cancel', body }));
  }
}
