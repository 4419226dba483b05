/** The stock engine with its reads and feeds, and their operations. */
import { Module } from '@nestjs/common';
import { PartitionKeeper } from '@onepool/platform-postgres';
import { StockEngine, StockFeeds, StockReads } from '@onepool/stock-data-access';
import type { AvailabilityConfig } from '../config.ts';
import type { OutboxRelay } from '../outbox-relay.ts';
import { CONFIG, LOGGER, OBSERVED, RELAY } from '../surroundings.ts';
import type { Logger } from '@onepool/platform-telemetry';
import { AtpController } from './atp.controller.ts';
import type { EngineMetrics } from './engine-metrics.ts';
import { FeedsController } from './feeds.controller.ts';
import { ReservationsController } from './reservations.controller.ts';
import { StockController } from './stock.controller.ts';
import { StockServices } from './stock-services.ts';

@Module({
  controllers: [AtpController, FeedsController, ReservationsController, StockController],
  providers: [
    {
      provide: StockServices,
      useFactory: (config: AvailabilityConfig, logger: Logger, observed: EngineMetrics, relay: OutboxRelay) =>
        new StockServices(config, logger, observed, relay),
      inject: [CONFIG, LOGGER, OBSERVED, RELAY],
    },
    { provide: StockEngine, useFactory: ({ engine }: StockServices) => engine, inject: [StockServices] },
    { provide: PartitionKeeper, useFactory: ({ partitions }: StockServices) => partitions, inject: [StockServices] },
    { provide: StockFeeds, useFactory: ({ feeds }: StockServices) => feeds, inject: [StockServices] },
    {
      provide: StockReads,
      useFactory: ({ engine, memory }: StockServices) => new StockReads(engine, memory),
      inject: [StockServices],
    },
  ],
})
export class StockModule {}
