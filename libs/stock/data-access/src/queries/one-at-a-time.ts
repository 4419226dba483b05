/** For work that is heavy by its nature: one run at a time in this replica, and whoever comes meanwhile is refused. */
import { accept } from '@onepool/stock-domain';
import { type Answer, refuse } from '../requests/refusal.ts';

export class OneAtATime {
  #running = false;

  /** Refused with `limit.rate` while another run is under way. */
  async run<T>(work: () => Promise<T>): Promise<Answer<T>> {
    if (this.#running) return refuse('limit.rate');
    this.#running = true;
    try {
      return accept(await work());
    } finally {
      this.#running = false;
    }
  }
}
