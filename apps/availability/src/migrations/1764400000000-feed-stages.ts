/** Staging tables of feeds are made by functions of the schema's owner, because the app's role makes no tables. */
import { stageSchemaSql } from '@onepool/stock-data-access';
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { SCHEMA } from '../config.ts';

export class FeedStages1764400000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const statement of stageSchemaSql(SCHEMA)) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP FUNCTION create_feed_stage, index_feed_stage, analyze_feed_stage, drop_feed_stage');
    await runner.query('DROP TABLE feed_stage');
  }
}
