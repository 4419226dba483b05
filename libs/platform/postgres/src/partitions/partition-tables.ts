import type { SchemaPart } from '../migrations/migration-files.ts';

/** Of a schema with tables that are partitioned by time; it comes before the parts whose tables are. */
export const partitionTables: SchemaPart = {
  name: 'partitions',
  sql: new URL('./sql/', import.meta.url),
  rights: {
    tables: { partitioned_table: [] },
    functions: ['make_partitions', 'partition_state'],
  },
};
