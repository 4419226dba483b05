/**
 * Does a bounded number of tasks in each turn of the event loop, so that a flood on one socket leaves the others their
 * turn. What comes above that waits, in order and bounded by number and bytes; what comes above those is not taken.
 */
export interface TurnLimits {
  readonly perTurn: number;
  readonly waitingMax: number;
  readonly waitingBytesMax: number;
}

interface Waiting {
  readonly task: () => void;
  readonly lengthBytes: number;
}

export class TurnQueue {
  readonly #limits: TurnLimits;
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #leftInTurn: number;
  #isTurnAwaited = false;

  constructor(limits: TurnLimits) {
    this.#limits = limits;
    this.#leftInTurn = limits.perTurn;
  }

  /** How many wait. */
  get length(): number {
    return this.#waiting.length;
  }

  /** Does the task now or in a later turn; false if there is no room for it. */
  take(task: () => void, lengthBytes: number): boolean {
    this.#awaitTurn();
    if (this.#leftInTurn > 0 && this.#waiting.length === 0) {
      this.#leftInTurn -= 1;
      task();
      return true;
    }
    const { waitingMax, waitingBytesMax } = this.#limits;
    if (this.#waiting.length >= waitingMax || this.#waitingBytes + lengthBytes > waitingBytesMax) return false;
    this.#waiting.push({ task, lengthBytes });
    this.#waitingBytes += lengthBytes;
    return true;
  }

  #awaitTurn(): void {
    if (this.#isTurnAwaited) return;
    this.#isTurnAwaited = true;
    setImmediate(() => {
      this.#isTurnAwaited = false;
      this.#leftInTurn = this.#limits.perTurn;
      if (this.#waiting.length > 0) this.#goOn();
    });
  }

  #goOn(): void {
    const now = this.#waiting.splice(0, this.#leftInTurn);
    this.#leftInTurn -= now.length;
    this.#awaitTurn();
    for (const { task, lengthBytes } of now) {
      this.#waitingBytes -= lengthBytes;
      task();
    }
  }
}
