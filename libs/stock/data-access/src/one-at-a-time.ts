/** For work that is heavy by its nature: one run at a time in this replica, and whoever comes meanwhile is refused. */
import { Refusal } from './refusal.ts';

export class OneAtATime {
  #running = false;

  /** @throws Refusal `limit.rate` while another run is under way. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running) throw new Refusal('limit.rate');
    this.#running = true;
    try {
      return await work();
    } finally {
      this.#running = false;
    }
  }
}
