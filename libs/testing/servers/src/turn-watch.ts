/**
 * Counts how much work is done between two turns of the event loop. A spec that judges milliseconds says how busy the
 * machine was; steps between turns say whether others were let in, on any machine.
 */
export class TurnWatch {
  /** Turns that others got so far. */
  turns = 0;
  /** The most steps between two turns. */
  stepsMax = 0;
  #steps = 0;
  #next = setImmediate(() => this.#turn());

  /** To be called by the work at each of its steps. */
  step(): void {
    this.#steps += 1;
    this.stepsMax = Math.max(this.stepsMax, this.#steps);
  }

  stop(): void {
    clearImmediate(this.#next);
  }

  #turn(): void {
    this.turns += 1;
    this.#steps = 0;
    this.#next = setImmediate(() => this.#turn());
  }
}
