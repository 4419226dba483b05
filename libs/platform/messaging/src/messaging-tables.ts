import type { SchemaPart } from '@onepool/platform-postgres';

/** Of whoever tells facts or takes in those of others; `partitionTables` come before. Facts are never changed. */
export const messagingTables: SchemaPart = {
  name: 'messaging',
  sql: new URL('./sql/', import.meta.url),
  rights: {
    tables: {
      outbox: ['SELECT', 'INSERT'],
      relay_cursor: ['SELECT', 'INSERT', 'UPDATE'],
      relay_stream: ['SELECT', 'UPDATE'],
      inbox: ['SELECT', 'INSERT', 'DELETE'],
    },
    sequences: { outbox_id_seq: ['SELECT'] },
    functions: ['drop_outbox_day'],
  },
};
