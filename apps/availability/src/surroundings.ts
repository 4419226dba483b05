/** What the app's modules are made with, beside each other: known before Nest begins, and the same for all of them. */
import { type DynamicModule, Module } from '@nestjs/common';
import type { Logger, Metrics } from '@onepool/platform-telemetry';
import type { AvailabilityConfig } from './config.ts';
import type { OutboxRelay } from './outbox-relay.ts';
import type { EngineMetrics } from './stock/engine-metrics.ts';

/** Tokens of its providers. */
export const CONFIG = Symbol('config');
export const LOGGER = Symbol('logger');
export const METRICS = Symbol('metrics');
export const OBSERVED = Symbol('engine metrics');
export const RELAY = Symbol('relay');

export interface Surroundings {
  readonly config: AvailabilityConfig;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly observed: EngineMetrics;
  readonly relay: OutboxRelay;
}

@Module({})
export class SurroundingsModule {
  static of({ config, logger, metrics, observed, relay }: Surroundings): DynamicModule {
    const values = [
      { provide: CONFIG, useValue: config },
      { provide: LOGGER, useValue: logger },
      { provide: METRICS, useValue: metrics },
      { provide: OBSERVED, useValue: observed },
      { provide: RELAY, useValue: relay },
    ];
    return { module: SurroundingsModule, global: true, providers: values, exports: values };
  }
}
