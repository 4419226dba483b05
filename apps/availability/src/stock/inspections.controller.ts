/** Units that wait for approval, and what is said of them. */
import { Controller } from '@nestjs/common';
import { AVAILABILITY_OPERATIONS as operations } from '@onepool/contracts';
import { type Call, Serve } from '@onepool/platform-operations';
import { InspectionReads, StockEngine } from '@onepool/stock-data-access';
import { valueOf, valueOrProblem } from '../problems.ts';
import { askerOf } from './asker.ts';

type Op = typeof operations;

@Controller()
export class InspectionsController {
  readonly #engine: StockEngine;
  readonly #reads: InspectionReads;

  constructor(engine: StockEngine) {
    this.#engine = engine;
    this.#reads = new InspectionReads(engine);
  }

  @Serve(operations.listInspections)
  async list({ query: { limit = 100, ...query }, caller: { nodes } }: Call<Op['listInspections']>) {
    return valueOf(await this.#reads.inspections({ ...query, limit, nodes }));
  }

  @Serve(operations.getInspection)
  async read({ params: { id }, caller: { nodes } }: Call<Op['getInspection']>) {
    return valueOf(await this.#reads.inspection(id, nodes));
  }

  @Serve(operations.judgeInspections)
  async judge({ body, caller }: Call<Op['judgeInspections']>) {
    const judged = valueOf(await this.#engine.judge(askerOf(caller), body));
    return { id: body.id, results: judged.map(valueOrProblem) };
  }
}
