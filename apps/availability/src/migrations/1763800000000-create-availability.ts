/** The first migration: API keys, catalogue, stock engine, messaging. */
import { apiKeyTableSql } from '@onepool/platform-auth';
import { messagingMigration } from '@onepool/platform-messaging';
import { catalogSchemaSql } from '@onepool/catalog-data-access';
import { stockSchemaSql } from '@onepool/stock-data-access';
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { SCHEMA } from '../config.ts';

export class CreateAvailability1763800000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    const statements = [apiKeyTableSql(SCHEMA), ...messagingMigration(SCHEMA), ...catalogSchemaSql, ...stockSchemaSql];
    for (const statement of statements) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP SCHEMA ${SCHEMA} CASCADE`);
  }
}
