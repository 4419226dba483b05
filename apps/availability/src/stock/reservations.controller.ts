/** Reservations and their verbs. */
import { Controller } from '@nestjs/common';
import { AVAILABILITY_OPERATIONS as operations } from '@onepool/contracts';
import { type Call, Serve } from '@onepool/platform-operations';
import { StockEngine, StockReads } from '@onepool/stock-data-access';
import { valueOf, valueOrProblem } from '../problems.ts';
import { askerFor, askerOf, demandOverride } from './asker.ts';

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
    demandOverride(body, caller);
    return valueOf(await this.#engine.hold(askerFor(body, caller), body));
  }

  @Serve(operations.getReservation)
  async read({ params, query, caller }: Call<Op['getReservation']>) {
    return valueOf(await this.#reads.reservation(askerFor(query, caller), params.id, query.owner));
  }

  @Serve(operations.extend)
  async extend({ params, body, caller }: Call<Op['extend']>) {
    return valueOf(await this.#engine.verb(askerFor(body, caller), params.id, { verb: 'extend', body }));
  }

  @Serve(operations.confirm)
  async confirm({ params, body, caller }: Call<Op['confirm']>) {
    return valueOf(await this.#engine.verb(askerFor(body, caller), params.id, { verb: 'confirm', body }));
  }

  @Serve(operations.attach)
  async attach({ params, body, caller }: Call<Op['attach']>) {
    return valueOf(await this.#engine.verb(askerFor(body, caller), params.id, { verb: 'attach', body }));
  }

  @Serve(operations.amend)
  async amend({ params, body, caller }: Call<Op['amend']>) {
    demandOverride(body, caller);
    return valueOf(await this.#engine.verb(askerFor(body, caller), params.id, { verb: 'amend', body }));
  }

  @Serve(operations.acknowledge)
  async acknowledge({ params, body, caller, sentAt }: Call<Op['acknowledge']>) {
    const asker = { ...askerFor(body, caller), sentAt };
    return valueOf(await this.#engine.verb(asker, params.id, { verb: 'acknowledge', body }));
  }

  @Serve(operations.reject)
  async reject({ params, body, caller, sentAt }: Call<Op['reject']>) {
    demandOverride(body, caller);
    return valueOf(await this.#engine.verb({ ...askerFor(body, caller), sentAt }, params.id, { verb: 'reject', body }));
  }

  @Serve(operations.giveUp)
  async giveUp({ params, body, caller }: Call<Op['giveUp']>) {
    return valueOf(await this.#engine.verb(askerFor(body, caller), params.id, { verb: 'give-up', body }));
  }

  @Serve(operations.unfulfil)
  async unfulfil({ params, body, caller, sentAt }: Call<Op['unfulfil']>) {
    const asker = { ...askerFor(body, caller), sentAt };
    return valueOf(await this.#engine.verb(asker, params.id, { verb: 'unfulfil', body }));
  }

  @Serve(operations.allocate)
  async allocate({ body, caller }: Call<Op['allocate']>) {
    demandOverride(body, caller);
    for (const { owner } of body.groups.flatMap(({ reservations }) => reservations)) askerFor({ owner }, caller);
    const groups = valueOf(await this.#engine.allocate(askerOf(caller), body));
    return { commandId: body.commandId, groups: groups.map(valueOrProblem) };
  }

  @Serve(operations.fulfil)
  async fulfil({ params, body, caller, sentAt }: Call<Op['fulfil']>) {
    return valueOf(await this.#engine.verb({ ...askerFor(body, caller), sentAt }, params.id, { verb: 'fulfil', body }));
  }

  @Serve(operations.release)
  async release({ params, body, caller }: Call<Op['release']>) {
    return valueOf(await this.#engine.verb(askerFor(body, caller), params.id, { verb: 'release', body }));
  }

  @Serve(operations.cancel)
  async cancel({ params, body, caller }: Call<Op['cancel']>) {
    return valueOf(await this.#engine.verb(askerFor(body, caller), params.id, { verb: 'cancel', body }));
  }
}
