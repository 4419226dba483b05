import { type DynamicModule, Module } from '@nestjs/common';
import type { NatsConnection } from '@nats-io/transport-node';
import { factSource } from '@onepool/contracts';
import type { Logger } from '@onepool/platform-telemetry';
import { dataSourceOptions } from '@onepool/platform-unit-of-work';
import { DataSource, type EntityTarget, type ObjectLiteral } from 'typeorm';
import type { AppSchema } from './app-definition.ts';
import type { ConnectionBudget } from './connection-budget.ts';
import type { KitConfig } from './kit-settings.ts';
import type { Relays } from './relays.ts';
import { Store } from './store.ts';
import { CONFIG, CONNECTIONS, LOGGER, NATS, RELAYS } from './surroundings.ts';

export interface StoreOptions {
  /** With an outbox, and the parts of {@link MODULE_TABLES} before its own. */
  readonly schema: AppSchema;
  readonly entities: readonly EntityTarget<ObjectLiteral>[];
  /** Connections at most, for units of work, consumers and tasks together; 6 unless given. */
  readonly connectionsMax?: number;
}

const CONNECTIONS_MAX = 6;

/** Gives the module that imports it its {@link Store}, and TypeORM's `DataSource` below it. */
@Module({})
export class StoreModule {
  static of({ schema: { schema, outbox }, entities, connectionsMax = CONNECTIONS_MAX }: StoreOptions): DynamicModule {
    if (outbox === undefined) throw new Error(`The schema ${schema} has no outbox, which a store needs`);
    const open = async (
      config: KitConfig,
      connections: ConnectionBudget,
      logger: Logger,
      relays: Relays,
      nats: NatsConnection,
    ) => {
      connections.take(schema, connectionsMax);
      const dataSource = new DataSource(
        dataSourceOptions({
          url: config.DATABASE_URL,
          schema,
          entities,
          max: connectionsMax,
          applicationName: `${config.ONEPOOL_INSTANCE}-${schema}`,
        }),
      );
      await dataSource.initialize();
      const { scope, partitionCount } = outbox;
      return new Store({
        dataSource,
        schema,
        source: factSource(scope),
        partitionCount,
        relays,
        nats,
        provisioned: config.NATS_PROVISIONED,
        logger,
      });
    };
    const providers = [
      { provide: Store, useFactory: open, inject: [CONFIG, CONNECTIONS, LOGGER, RELAYS, NATS] },
      { provide: DataSource, useFactory: (store: Store) => store.dataSource, inject: [Store] },
    ];
    return { module: StoreModule, providers, exports: [Store, DataSource] };
  }
}
