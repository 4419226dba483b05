/** The stock engine with its reads and feeds, and their operations. */
import { Module } from '@nestjs/common';
import {
  CONFIG,
  CONNECTIONS,
  type ConnectionBudget,
  LOGGER,
  METRICS,
  RELAYS,
  type Relays,
} from '@onepool/platform-app';
import { FEED_CONNECTIONS, StockEngine, StockFeeds, StockReads, engineConnections } from '@onepool/stock-data-access';
import type { AvailabilityConfig } from '../config.ts';
import type { Logger, Metrics } from '@onepool/platform-telemetry';
import { AtpController } from './atp.controller.ts';
import { engineMetrics } from './engine-metrics.ts';
import { FeedsController } from './feeds.controller.ts';
import { BulkController } from './bulk.controller.ts';
import { InspectionsController } from './inspections.controller.ts';
import { ReservationsController } from './reservations.controller.ts';
import { StockController } from './stock.controller.ts';
import { StockServices } from './stock-services.ts';

@Module({
  controllers: [
    AtpController,
    FeedsController,
    BulkController,
    InspectionsController,
    ReservationsController,
    StockController,
  ],
  providers: [
    {
      provide: StockServices,
      useFactory: (
        config: AvailabilityConfig,
        logger: Logger,
        metrics: Metrics,
        relays: Relays,
        connections: ConnectionBudget,
      ) => {
        connections.take('engine', engineConnections(config.ONEPOOL_COMMIT_QUEUES));
        connections.take('feeds', FEED_CONNECTIONS);
        return new StockServices(config, logger, engineMetrics(metrics), relays);
      },
      inject: [CONFIG, LOGGER, METRICS, RELAYS, CONNECTIONS],
    },
    { provide: StockEngine, useFactory: ({ engine }: StockServices) => engine, inject: [StockServices] },
    { provide: StockFeeds, useFactory: ({ feeds }: StockServices) => feeds, inject: [StockServices] },
    {
      provide: StockReads,
      useFactory: ({ engine, memory }: StockServices) => new StockReads(engine, memory),
      inject: [StockServices],
    },
  ],
})
export class StockModule {}
