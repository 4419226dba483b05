/** The catalogue on TypeORM's connection, and its operations. */
import { Module } from '@nestjs/common';
import { TypeOrmModule, getDataSourceToken } from '@nestjs/typeorm';
import { Catalog, catalogEntities } from '@onepool/catalog-data-access';
import { CONFIG } from '@onepool/platform-app';
import { sessionOptions } from '@onepool/platform-postgres';
import type { DataSource } from 'typeorm';
import { type AvailabilityConfig, SCHEMA } from '../config.ts';
import { CatalogController } from './catalog.controller.ts';

@Module({
  imports: [
    TypeOrmModule.forRootAsync({
      inject: [CONFIG],
      useFactory: (config: AvailabilityConfig) => ({
        type: 'postgres',
        url: config.DATABASE_URL,
        schema: SCHEMA,
        entities: catalogEntities,
        installExtensions: false,
        poolSize: 4,
        applicationName: `${config.ONEPOOL_INSTANCE}-catalogue`,
        extra: {
          options: sessionOptions({
            search_path: SCHEMA,
            statement_timeout: 30_000,
            lock_timeout: 5_000,
            idle_in_transaction_session_timeout: 5_000,
          }),
        },
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
