/** The availability app: the identity, the catalogue, and the stock with its promises. */
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { AVAILABILITY } from '@onepool/contracts';
import { type AppDefinition, type StartedApp, createApp } from '@onepool/platform-app';
import type { Logger } from '@onepool/platform-telemetry';
import { StockEngine } from '@onepool/stock-data-access';
import { CatalogModule } from './catalog/catalog.module.ts';
import { AvailabilityConfig } from './config.ts';
import { schemas } from './database.ts';
import { IdentityModule, IdentityService } from './identity/identity.module.ts';
import { problemOf } from './problems.ts';
import { StockModule } from './stock/stock.module.ts';

export const AVAILABILITY_APP: AppDefinition<AvailabilityConfig> = {
  contract: AVAILABILITY,
  config: AvailabilityConfig,
  schemas,
  problemOf,
  modules: [IdentityModule, CatalogModule, StockModule],
  // Others ask over NATS; this is whom they ask.
  identity: (app) => app.get(IdentityService).cache,
  // Everything but the engine's commit queues has a fixed number.
  connectionsMax: ({ ONEPOOL_COMMIT_QUEUES }) => 36 + 2 * ONEPOOL_COMMIT_QUEUES,
};

export interface AvailabilityApp extends StartedApp {
  readonly engine: StockEngine;
}

/** For specs, which look into it; `main.ts` runs the same. */
export async function createAvailabilityApp(config: AvailabilityConfig, logger: Logger): Promise<AvailabilityApp> {
  const started = await createApp(AVAILABILITY_APP, config, logger);
  return { ...started, engine: engineOf(started.app) };
}

const engineOf = (app: NestFastifyApplication): StockEngine => app.get(StockEngine);
