/** The catalogue on TypeORM's connection, and its operations. */
import { Module } from '@nestjs/common';
import { TypeOrmModule, getDataSourceToken } from '@nestjs/typeorm';
import { Catalog, catalogEntities } from '@onepool/catalog-data-access';
import { CONFIG } from '@onepool/platform-app';
import { dataSourceOptions } from '@onepool/platform-unit-of-work';
import type { DataSource } from 'typeorm';
import { type AvailabilityConfig, CATALOG_SCHEMA } from '../config.ts';
import { CatalogController } from './catalog.controller.ts';

@Module({
  imports: [
    TypeOrmModule.forRootAsync({
      inject: [CONFIG],
      useFactory: (config: AvailabilityConfig) => ({
        ...dataSourceOptions({
          url: config.DATABASE_URL,
          schema: CATALOG_SCHEMA,
          entities: catalogEntities,
          max: 4,
          applicationName: `${config.ONEPOOL_INSTANCE}-catalogue`,
        }),
        retryAttempts: 30,
        retryDelay: 500,
      }),
    }),
  ],
  controllers: [CatalogController],
  providers: [
    {
      provide: Catalog,
      useFactory: (dataSource: DataSource) => new Catalog(dataSource),
      inject: [getDataSourceToken()],
    },
  ],
})
export class CatalogModule {}
