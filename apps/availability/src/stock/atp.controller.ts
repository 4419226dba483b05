/** ATP, which a shop asks for with every page. */
import { Controller } from '@nestjs/common';
import { AVAILABILITY_OPERATIONS as operations, type Atp } from '@onepool/contracts';
import { Slices } from '@onepool/platform-clock';
import { JsonText } from '@onepool/platform-messaging';
import { type Call, Serve } from '@onepool/platform-operations';
import { StockReads } from '@onepool/stock-data-access';
import { demandWithinLimits, valueOf } from '../problems.ts';

type Op = typeof operations;

@Controller()
export class AtpController {
  readonly #reads: StockReads;

  constructor(reads: StockReads) {
    this.#reads = reads;
  }

  @Serve(operations.getAtp, { hot: true })
  async getAtp({ params, query, caller }: Call<Op['getAtp']>) {
    demandWithinLimits(caller, { kind: 'selling', channel: query.channel });
    return valueOf(await this.#reads.atpOfOne({ ...query, skus: [params.sku] }));
  }

  @Serve(operations.queryAtp, { hot: true })
  async queryAtp({ body, caller }: Call<Op['queryAtp']>) {
    demandWithinLimits(caller, { kind: 'selling', channel: body.channel });
    return inSlices(valueOf(await this.#reads.atp(body)));
  }
}

const ROWS_PER_SLICE = 2_000;
const rowsOf = ({ nodes }: Atp): number => 1 + (nodes?.length ?? 0);

/** A thousand SKUs at hundreds of nodes are megabytes: others get a turn while they become text. */
async function inSlices(items: readonly Atp[]): Promise<{ items: readonly Atp[] } | JsonText> {
  if (items.reduce((sum, item) => sum + rowsOf(item), 0) <= ROWS_PER_SLICE) return { items };
  const slices = new Slices(ROWS_PER_SLICE);
  const texts: string[] = [];
  for (const item of items) {
    texts.push(JSON.stringify(item));
    if (slices.isFull(rowsOf(item))) await slices.next();
  }
  return new JsonText(`{"items":[${texts.join(',')}]}`);
}
