import type { SchemaPart } from '@onepool/platform-postgres';

/** `messagingTables` come before, and `taskTables` where tasks are written. */
export const unitOfWorkTables: SchemaPart = {
  name: 'unit-of-work',
  sql: new URL('./sql/', import.meta.url),
  rights: { tables: { aggregate: ['SELECT', 'INSERT', 'UPDATE'] } },
};
