/** The catalogue in its own schema, and its operations. */
import { Module } from '@nestjs/common';
import type { NatsConnection } from '@nats-io/transport-node';
import { Catalog, CatalogSnapshots, catalogEntities } from '@onepool/catalog-data-access';
import { CATALOG_SCOPE, factStream } from '@onepool/contracts';
import { NATS, Store, StoreModule } from '@onepool/platform-app';
import { formatPosition, readStreamPosition } from '@onepool/platform-messaging';
import { poolOf } from '@onepool/platform-unit-of-work';
import { CATALOG_SCHEMA } from '../config.ts';
import { CATALOG } from '../database.ts';
import { CatalogController } from './catalog.controller.ts';

@Module({
  imports: [StoreModule.of({ schema: CATALOG, entities: catalogEntities, connectionsMax: 4 })],
  controllers: [CatalogController],
  providers: [
    { provide: Catalog, useFactory: ({ dataSource, units }: Store) => new Catalog(dataSource, units), inject: [Store] },
    {
      provide: CatalogSnapshots,
      useFactory: ({ dataSource, units }: Store, connection: NatsConnection) => {
        const source = {
          client: poolOf(dataSource),
          schema: CATALOG_SCHEMA,
          connection,
          stream: factStream(CATALOG_SCOPE).name,
        };
        return new CatalogSnapshots(units, async () => formatPosition(await readStreamPosition(source)));
      },
      inject: [Store, NATS],
    },
  ],
})
export class CatalogModule {}
