/** Rows with a shortfall are few, and looked for beside every count. */
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class ShortRows1764300000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('CREATE INDEX stock_short ON stock (sku_key) WHERE shortfall > 0');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX stock_short');
  }
}
