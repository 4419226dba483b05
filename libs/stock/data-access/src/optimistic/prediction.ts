/** What batches in flight will have written, so that the next one can be decided before they are answered. */
import type { SkuKey, SkuSupply } from '@onepool/stock-domain';

export interface VersionedSupply {
  readonly version: number;
  readonly supply: SkuSupply;
}

/** Of one batch, if it is written. */
export interface Prediction {
  readonly supplies: ReadonlyMap<SkuKey, VersionedSupply>;
  /**
   * The key of a reservation that only this attempt can have made. A SKU's version alone would prove nothing, since somebody
   * else may have brought the SKU to it.
   */
  readonly proof: number;
}

/** Of the batches of one commit queue that are in flight: the last one, and the one before it until it is known to be written. */
export class Predictions {
  #last: Prediction | null = null;
  #before: Prediction | null = null;

  get last(): Prediction | null {
    return this.#last;
  }

  supplyOf(sku: SkuKey): VersionedSupply | undefined {
    return this.#last?.supplies.get(sku) ?? this.#before?.supplies.get(sku);
  }

  /** A batch was sent behind the others. */
  sent(prediction: Prediction): void {
    this.#before = this.#last;
    this.#last = prediction;
  }

  /** A batch was written; what it wrote is remembered from now on. */
  written(prediction: Prediction): void {
    if (this.#before === prediction) this.#before = null;
    this.#forget(prediction);
  }

  /** A batch was not written, and what rests on it will not be either. */
  unwritten(prediction: Prediction): void {
    this.#forget(prediction);
  }

  #forget(prediction: Prediction): void {
    if (this.#last !== prediction) return;
    this.#last = null;
    this.#before = null;
  }
}
