import type { AnyConsumerOptions, ConsumerOptions } from './consumer-options.ts';
import { DURABLE_DEFAULTS } from './durable.ts';
import { type Effects, effectsOf } from './effects.ts';

export type ConsumerSettings = Required<
  Omit<ConsumerOptions, 'orderedBy' | 'domain' | 'pool' | 'within' | 'schema' | 'handler'>
> &
  Pick<ConsumerOptions, 'orderedBy' | 'domain'> & { readonly effects: Effects };

export function consumerSettings(options: AnyConsumerOptions): ConsumerSettings {
  return {
    maxDeliver: 5,
    backoffMs: [100, 500, 2_000, 10_000, 30_000],
    concurrency: 8,
    ...DURABLE_DEFAULTS,
    noProgressMs: 15_000,
    provisioned: false,
    hooks: {},
    ...options,
    effects: effectsOf(options),
  };
}
