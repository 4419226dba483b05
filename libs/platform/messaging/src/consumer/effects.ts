import type { FactEvent } from '../cloud-event.ts';
import type { ConsumerOptions, UnstoredConsumerOptions } from './consumer-options.ts';
import { handleOnce } from './handle-once.ts';

/** Where the effects of events go. */
export interface Effects {
  apply(event: FactEvent): Promise<'effect' | 'duplicate'>;
  /** Fails while that is away. */
  look(): Promise<unknown>;
}

export function effectsOf(options: ConsumerOptions | UnstoredConsumerOptions): Effects {
  if (options.pool !== undefined) {
    const { pool } = options;
    return { apply: (event) => handleOnce(options, event), look: () => pool.query('SELECT 1') };
  }
  const { handler } = options;
  const apply = async (event: FactEvent): Promise<'effect'> => {
    await handler(event);
    return 'effect';
  };
  return { apply, look: () => Promise.resolve() };
}
