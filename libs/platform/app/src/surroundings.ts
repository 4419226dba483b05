/** What an app's modules are made with, beside each other: known before Nest begins, and the same for all of them. */
import { type DynamicModule, Module, type Provider } from '@nestjs/common';
import type { NatsConnection } from '@nats-io/transport-node';
import type { ConnectionBudget } from './connection-budget.ts';
import type { Foundation } from './app-definition.ts';
import type { Relays } from './relays.ts';

/** Tokens of its providers. */
export const CONFIG = Symbol('config');
export const LOGGER = Symbol('logger');
export const METRICS = Symbol('metrics');
export const RELAYS = Symbol('relays');
export const NATS = Symbol('nats');
export const CONNECTIONS = Symbol('connection budget');

export interface Surroundings extends Foundation {
  readonly relays: Relays;
  readonly nats: NatsConnection;
  readonly connections: ConnectionBudget;
}

@Module({})
export class SurroundingsModule {
  static of(surroundings: Surroundings, others: readonly Provider[]): DynamicModule {
    const values: Provider[] = [
      { provide: CONFIG, useValue: surroundings.config },
      { provide: LOGGER, useValue: surroundings.logger },
      { provide: METRICS, useValue: surroundings.metrics },
      { provide: RELAYS, useValue: surroundings.relays },
      { provide: NATS, useValue: surroundings.nats },
      { provide: CONNECTIONS, useValue: surroundings.connections },
    ];
    const providers = [...values, ...others];
    return { module: SurroundingsModule, global: true, providers, exports: providers };
  }
}
