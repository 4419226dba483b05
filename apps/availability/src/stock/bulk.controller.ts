/** The verbs of reservations, and legs of transfers, by hundreds. Each item is a request of its own: group commit makes few transactions of them. */
import { Controller } from '@nestjs/common';
import {
  AVAILABILITY_OPERATIONS as operations,
  LINES_MAX,
  type ProblemInAnswer,
  type Reservation,
  type ShipResult,
} from '@onepool/contracts';
import { type Call, Serve } from '@onepool/platform-operations';
import { ProblemError } from '@onepool/platform-problem';
import { type Answer, StockEngine, type VerbRequest } from '@onepool/stock-data-access';
import { problemOf, refusal, valueOf } from '../problems.ts';
import { askerFor, askerOf, demandOverride, demandRiders } from './asker.ts';

type Op = typeof operations;
type Verb = VerbRequest['verb'];
type Body<V extends Verb> = Extract<VerbRequest, { verb: V }>['body'];
type Items<V extends Verb> = readonly (Body<V> & { readonly id: string })[];
type Caller = Call<Op['confirmMany']>['caller'];

@Controller()
export class BulkController {
  readonly #engine: StockEngine;

  constructor(engine: StockEngine) {
    this.#engine = engine;
  }

  @Serve(operations.holdMany)
  async hold({ body: { items }, caller }: Call<Op['holdMany']>) {
    demandLines(items.map(({ lines }) => lines.length));
    const held = items.map((item) =>
      this.#result(
        async () => {
          demandOverride(item, caller);
          return this.#engine.hold(askerFor(item, caller), item);
        },
        (reservation: Reservation) => reservation,
      ),
    );
    return { results: await Promise.all(held) };
  }

  @Serve(operations.extendMany)
  extend({ body, caller }: Call<Op['extendMany']>) {
    return this.#each('extend', body.items, caller);
  }

  @Serve(operations.confirmMany)
  confirm({ body, caller }: Call<Op['confirmMany']>) {
    return this.#each('confirm', body.items, caller);
  }

  @Serve(operations.attachMany)
  attach({ body, caller }: Call<Op['attachMany']>) {
    return this.#each('attach', body.items, caller);
  }

  @Serve(operations.amendMany)
  amend({ body, caller }: Call<Op['amendMany']>) {
    demandLines(body.items.map(({ lines }) => lines.length));
    return this.#each('amend', body.items, caller);
  }

  @Serve(operations.acknowledgeMany)
  acknowledge({ body, caller, sentAt }: Call<Op['acknowledgeMany']>) {
    return this.#each('acknowledge', body.items, caller, sentAt);
  }

  @Serve(operations.rejectMany)
  reject({ body, caller, sentAt }: Call<Op['rejectMany']>) {
    return this.#each('reject', body.items, caller, sentAt);
  }

  @Serve(operations.giveUpMany)
  giveUp({ body, caller }: Call<Op['giveUpMany']>) {
    return this.#each('give-up', body.items, caller);
  }

  @Serve(operations.fulfilMany)
  fulfil({ body, caller, sentAt }: Call<Op['fulfilMany']>) {
    return this.#each('fulfil', body.items, caller, sentAt);
  }

  @Serve(operations.unfulfilMany)
  unfulfil({ body, caller, sentAt }: Call<Op['unfulfilMany']>) {
    return this.#each('unfulfil', body.items, caller, sentAt);
  }

  @Serve(operations.releaseMany)
  release({ body, caller }: Call<Op['releaseMany']>) {
    return this.#each('release', body.items, caller);
  }

  @Serve(operations.cancelMany)
  cancel({ body, caller }: Call<Op['cancelMany']>) {
    return this.#each('cancel', body.items, caller);
  }

  @Serve(operations.shipMany)
  async ship({ body: { items }, caller, sentAt }: Call<Op['shipMany']>) {
    demandLines(items.flatMap(({ lines }) => lines.map(({ riders = [] }) => 1 + riders.length)));
    const shipped = items.map((item) =>
      this.#result(
        async () => {
          demandRiders(item, caller);
          return this.#engine.ship(askerOf(caller, sentAt), item);
        },
        (leg: ShipResult) => leg,
      ),
    );
    return { results: await Promise.all(shipped) };
  }

  async #each<V extends Verb>(verb: V, items: Items<V>, caller: Caller, sentAt: number | null = null) {
    const done = items.map(({ id, ...body }) =>
      this.#result(async () => {
        const asked: { readonly owner?: string | undefined; readonly override?: string } = body;
        demandOverride(asked, caller);
        const asker = { ...askerFor(asked, caller), sentAt };
        return this.#engine.verb(asker, id, { verb, body } as unknown as VerbRequest);
      }, stateOf),
    );
    return { results: await Promise.all(done) };
  }

  /** What stands in an item's way is its own result; what fails for reasons of ours fails the request, which may be sent again. */
  async #result<T, R>(ask: () => Promise<Answer<T>>, show: (value: T) => R): Promise<R | Refused> {
    try {
      return show(valueOf(await ask()));
    } catch (error) {
      const refused = error instanceof ProblemError ? error : problemOf(error);
      if (refused && refused.status < 500) return { problem: { ...refused.toProblem() } };
      throw error;
    }
  }
}

interface Refused {
  readonly problem: ProblemInAnswer;
}

const stateOf = ({ id, owner, status, version }: Reservation) => ({ id, owner, status, version });

/** @throws ProblemError when the items have more lines in all than one request may have */
function demandLines(lines: readonly number[]): void {
  const all = lines.reduce((sum, count) => sum + count, 0);
  if (all > LINES_MAX) throw refusal('bulk.too_large', { lines: all, linesMax: LINES_MAX });
}
