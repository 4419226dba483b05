/**
 * One CHECK where there were eight. PostgreSQL reads a table's checks from their stored text for every statement that
 * writes to it, so each costs even a single hold; the laws stay the same.
 */
import type { MigrationInterface, QueryRunner } from 'typeorm';

const UNITS = {
  stock: ['available', 'committed', 'reserved', 'safety_stock', 'damaged', 'quality_control', 'shortfall', 'overdrawn'],
  backing: ['held', 'confirmed', 'fulfilled', 'released', 'expired', 'cancelled'],
} as const;

export class FewerChecks1764200000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const [table, columns] of Object.entries(UNITS)) {
      const drops = columns.map((column) => `DROP CONSTRAINT ${table}_${column}_check`);
      await runner.query(
        `ALTER TABLE ${table} ${drops.join(', ')}, ADD CONSTRAINT no_negative_units CHECK (least(${columns.join(', ')}) >= 0)`,
      );
    }
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const [table, columns] of Object.entries(UNITS)) {
      const adds = columns.map((column) => `ADD CONSTRAINT ${table}_${column}_check CHECK (${column} >= 0)`);
      await runner.query(`ALTER TABLE ${table} DROP CONSTRAINT no_negative_units, ${adds.join(', ')}`);
    }
  }
}
