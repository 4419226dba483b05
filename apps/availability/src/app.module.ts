/** What the app is made of: the identity, the catalogue, and the stock with its promises. */
import { type DynamicModule, Module } from '@nestjs/common';
import { CatalogModule } from './catalog/catalog.module.ts';
import { IdentityModule } from './identity/identity.module.ts';
import { StockModule } from './stock/stock.module.ts';
import { type Surroundings, SurroundingsModule } from './surroundings.ts';

@Module({ imports: [IdentityModule, CatalogModule, StockModule] })
export class AppModule {
  static with(surroundings: Surroundings): DynamicModule {
    return { module: AppModule, imports: [SurroundingsModule.of(surroundings)] };
  }
}
