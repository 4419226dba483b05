/** What the app is made of: the engine, its reads, the catalogue, and the edges that translate for them. */
import { type DynamicModule, Module } from '@nestjs/common';
import { getDataSourceToken, TypeOrmModule } from '@nestjs/typeorm';
import { Catalog, catalogEntities } from '@onepool/catalog-data-access';
import { sessionOptions } from '@onepool/platform-postgres';
import { StockEngine, StockFeeds, StockReads } from '@onepool/stock-data-access';
import type { DataSource } from 'typeorm';
import { type AvailabilityConfig, SCHEMA } from './config.ts';
import type { StockServices } from './stock-services.ts';
import { CatalogController } from './edges/catalog.controller.ts';
import { FeedsController } from './edges/feeds.controller.ts';
import { ReservationsController } from './edges/reservations.controller.ts';
import { CatalogRpc, ReservationsRpc, StockRpc } from './edges/rpc.controller.ts';
import { StockController } from './edges/stock.controller.ts';

@Module({})
export class AppModule {
  static with(config: AvailabilityConfig, { engine, memory, feeds }: StockServices): DynamicModule {
    return {
      module: AppModule,
      imports: [
        TypeOrmModule.forRoot({
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
      ],
      controllers: [
        CatalogController,
        FeedsController,
        ReservationsController,
        StockController,
        ReservationsRpc,
        StockRpc,
        CatalogRpc,
      ],
      providers: [
        { provide: StockEngine, useValue: engine },
        { provide: StockFeeds, useValue: feeds },
        { provide: StockReads, useFactory: () => new StockReads(engine, memory) },
        {
          provide: Catalog,
          useFactory: (dataSource: DataSource) => new Catalog(dataSource),
          inject: [getDataSourceToken()],
        },
      ],
    };
  }
}
