/** Finds old effects of commands, so that they can be forgotten in order of age. */
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Retention1764000000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('CREATE INDEX command_recorded_at ON command (recorded_at)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX command_recorded_at');
  }
}
