import type { FactEvent } from '../cloud-event.ts';
import type { AnyConsumerOptions } from './consumer-options.ts';
import { handleOnce } from './handle-once.ts';

/** Where the effects of events go. */
export interface Effects {
  apply(event: FactEvent): Promise<'effect' | 'duplicate'>;
  /** Fails while that is away. */
  look(): Promise<unknown>;
}

export function effectsOf(options: AnyConsumerOptions): Effects {
  if (options.pool !== undefined) {
    const { pool } = options;
    return { apply: (event) => handleOnce(options, event), look: () => pool.query('SELECT 1') };
  }
  if (options.within !== undefined) {
    const { within, handler } = options;
    return {
      apply: (event) => within.once(event, (context) => handler(event, context)),
      look: () => within.look(),
    };
  }
  const { handler } = options;
  const apply = async (event: FactEvent): Promise<'effect'> => {
    await handler(event);
    return 'effect';
  };
  return { apply, look: () => Promise.resolve() };
}
