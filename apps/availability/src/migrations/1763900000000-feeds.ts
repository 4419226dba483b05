/** Feeds: their staging, progress, refusals and watermarks. */
import { feedSchemaSql } from '@onepool/stock-data-access';
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Feeds1763900000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const statement of feedSchemaSql) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE feed, feed_refusal, feed_record, feed_watermark');
    await runner.query('DROP INDEX ledger_events');
    await runner.query('ALTER TABLE ledger DROP COLUMN acknowledged_at');
    await runner.query('ALTER TABLE backing DROP COLUMN pinned_at');
  }
}
