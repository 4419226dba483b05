/** Two engines that sell the same SKUs, as two replicas of an app do, each asked in turn. Both are in this process: what it costs them to meet shows, not a second core. */
import type { Contender, Line } from './contender.ts';
import { Tally } from './contender.ts';
import { EngineContender, type EngineSetup } from './engine.ts';

export class TwoReplicas implements Contender {
  readonly owner = 'bench-two';
  readonly #replicas: readonly [EngineContender, EngineContender];
  #asked = 0;

  constructor(setup: Omit<EngineSetup, 'owner'>) {
    const replica = (): EngineContender => new EngineContender({ ...setup, owner: this.owner });
    this.#replicas = [replica(), replica()];
  }

  get tally(): Tally {
    const sum = new Tally();
    for (const { tally } of this.#replicas) {
      sum.reservations += tally.reservations;
      sum.lines += tally.lines;
      sum.units += tally.units;
    }
    return sum;
  }

  reserve(lines: readonly Line[]): Promise<void> {
    return this.#replicas[this.#asked++ % 2 === 0 ? 0 : 1].reserve(lines);
  }

  async close(): Promise<void> {
    await Promise.all(this.#replicas.map((replica) => replica.close()));
  }
}
