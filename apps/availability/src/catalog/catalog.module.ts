/** The catalogue in its own schema, and its operations. */
import { Module } from '@nestjs/common';
import { Catalog, catalogEntities } from '@onepool/catalog-data-access';
import { Store, StoreModule } from '@onepool/platform-app';
import { CATALOG } from '../database.ts';
import { CatalogController } from './catalog.controller.ts';

@Module({
  imports: [StoreModule.of({ schema: CATALOG, entities: catalogEntities, connectionsMax: 4 })],
  controllers: [CatalogController],
  providers: [
    { provide: Catalog, useFactory: ({ dataSource, units }: Store) => new Catalog(dataSource, units), inject: [Store] },
  ],
})
export class CatalogModule {}
