/** Documents that are written once and read whole are kept as they were told: nothing is gained by taking them apart. */
import type { MigrationInterface, QueryRunner } from 'typeorm';

const DOCUMENTS = [
  ['outbox', 'data'],
  ['reservation', 'lines'],
  ['command', 'answer'],
] as const;

export class JsonAsTold1764100000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const [table, column] of DOCUMENTS) await runner.query(alter(table, column, 'json'));
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const [table, column] of DOCUMENTS) await runner.query(alter(table, column, 'jsonb'));
  }
}

const alter = (table: string, column: string, type: 'json' | 'jsonb'): string =>
  `ALTER TABLE ${table} ALTER COLUMN ${column} TYPE ${type} USING ${column}::${type}`;
