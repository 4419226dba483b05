/** What the app is made of: the catalogue, and the stock with its promises. */
import { type DynamicModule, Module } from '@nestjs/common';
import { CatalogModule } from './catalog/catalog.module.ts';
import { StockModule } from './stock/stock.module.ts';
import { type Surroundings, SurroundingsModule } from './surroundings.ts';

@Module({ imports: [CatalogModule, StockModule] })
export class AppModule {
  static with(surroundings: Surroundings): DynamicModule {
    return { module: AppModule, imports: [SurroundingsModule.of(surroundings)] };
  }
}
