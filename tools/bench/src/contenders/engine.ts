/** The engine as an app holds it, in this process. */
import { StockEngine } from '@onepool/stock-data-access';
import { CHANNEL, EXPIRES_IN_SECONDS, Tally, newReservationId, skuCode } from './contender.ts';
import type { Contender, Line, Surroundings } from './contender.ts';

export interface EngineSetup extends Surroundings {
  readonly queues?: number;
  readonly owner?: string;
  readonly onCommitted?: () => void;
}

export class EngineContender implements Contender {
  readonly owner: string;
  readonly tally = new Tally();
  readonly #engine: StockEngine;
  #batches = 0;
  #commands = 0;

  constructor({ owner = 'bench-engine', queues, onCommitted, ...surroundings }: EngineSetup) {
    this.owner = owner;
    this.#engine = new StockEngine({
      ...surroundings,
      ...(queues === undefined ? {} : { queues }),
      ...(onCommitted === undefined ? {} : { onCommitted }),
      hooks: {
        onBatch: (commands) => {
          this.#batches += 1;
          this.#commands += commands;
        },
      },
    });
  }

  async reserve(lines: readonly Line[]): Promise<void> {
    const settled = await this.#engine.hold(
      { actor: this.owner, person: null, nodes: 'all', channels: 'all' },
      {
        id: newReservationId(),
        channel: CHANNEL,
        lines: lines.map(({ sku, quantity }) => ({ sku: skuCode(sku), quantity })),
        expiresInSeconds: EXPIRES_IN_SECONDS,
      },
    );
    if (!settled.ok) throw new Error(`the engine refused: ${settled.rejection.code}`);
    this.tally.add(lines);
  }

  /** Commands a batch since the last call; what `limit` then writes at once. */
  takeBatchSize(): number {
    const size = this.#batches === 0 ? 1 : Math.max(1, Math.round(this.#commands / this.#batches));
    this.#batches = 0;
    this.#commands = 0;
    return size;
  }

  close(): Promise<void> {
    return this.#engine.close();
  }
}
